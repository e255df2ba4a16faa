/* A fault that is not a trap comes to whoever is there, in its true place: a vectored handler behind ours, the
 * handler of the frame that it happened in (what __try and __except are made of), the filter for unhandled
 * exceptions. */
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "host.h"

/* Loads from an address; its frame has a handler, which goes on behind the load. */
void load_with_a_frame_handler(void *address);
extern const unsigned char guarded_load[], guarded_load_end[];
__asm__(
    ".text\n"
    ".globl load_with_a_frame_handler\n"
    ".seh_proc load_with_a_frame_handler\n"
    "load_with_a_frame_handler:\n"
    "  sub $40, %rsp\n"
    "  .seh_stackalloc 40\n"
    "  .seh_endprologue\n"
    ".globl guarded_load\n"
    "guarded_load:\n"
    "  mov (%rcx), %rax\n"
    ".globl guarded_load_end\n"
    "guarded_load_end:\n"
    "  nop\n"
    "  add $40, %rsp\n"
    "  ret\n"
    "  .seh_handler frame_handler, @except\n"
    "  .seh_endproc\n");

static volatile int framed, vectored;
static volatile uintptr_t seen_at, seen_code;

EXCEPTION_DISPOSITION frame_handler(EXCEPTION_RECORD *record, void *frame, CONTEXT *context, void *dispatcher);
EXCEPTION_DISPOSITION frame_handler(EXCEPTION_RECORD *record, void *frame, CONTEXT *context, void *dispatcher) {
  (void)frame;
  (void)dispatcher;
  framed++;
  seen_at = (uintptr_t)record->ExceptionAddress;
  seen_code = record->ExceptionCode;
  context->Rip = (uintptr_t)guarded_load_end;
  return ExceptionContinueExecution;
}

static LONG WINAPI behind(EXCEPTION_POINTERS *exception) {
  if (exception->ExceptionRecord->ExceptionCode == EXCEPTION_ACCESS_VIOLATION) vectored++;
  return EXCEPTION_CONTINUE_SEARCH;
}

static void in_a_call(void *address) { load_with_a_frame_handler(address); }

int main(void) {
  host_init();
  const uint64_t id = host_register_code(&wasm_load);
  unsigned char *const page = inaccessible_page();
  must(AddVectoredExceptionHandler(0, behind) != NULL);

  wasmtrap_trap_t trap = host_new_trap();
  same(wasmtrap_call(in_a_call, page, &trap), WASMTRAP_OK, "a fault of host code inside a protected call");
  same(framed, 1, "comes to the handler of its frame");
  same(vectored, 1, "after a vectored handler behind ours");
  same(seen_at, address_of(guarded_load), "in its place");
  same(seen_code, EXCEPTION_ACCESS_VIOLATION, "as what it is");
  load_with_a_frame_handler(page);
  same(framed, 2, "and outside of one");

  vectored = 0;
  trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a trap is a trap");
  same(vectored, 0, "which nobody else sees");
  same(wasmtrap_code_unregister(id), WASMTRAP_OK, "without the code");
  return tap_done();
}
