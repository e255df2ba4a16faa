/* RtlVirtualUnwind gets from inside of a protected call to who called it, with the caller's registers; longjmp,
 * which unwinds here, ends the calls that it passes: the thread is in none afterwards. */
#include <setjmp.h>
#include <string.h>
#include <windows.h>

#include "host.h"

static uintptr_t return_address;
static volatile int found, steps;

/* Frames outwards until that of the function that calls wasmtrap_call. */
static void look_outwards(void *unused) {
  (void)unused;
  CONTEXT context;
  RtlCaptureContext(&context);
  for (steps = 0; steps < 64 && context.Rip != 0 && !found; steps++) {
    DWORD64 image;
    RUNTIME_FUNCTION *const function = RtlLookupFunctionEntry(context.Rip, &image, NULL);
    if (function == NULL) {
      memcpy(&context.Rip, (void *)(uintptr_t)context.Rsp, sizeof context.Rip);
      context.Rsp += 8;
      continue;
    }
    void *data;
    DWORD64 frame;
    RtlVirtualUnwind(UNW_FLAG_NHANDLER, image, context.Rip, function, &context, &data, &frame, NULL);
    if (context.Rip == return_address) found = context.Rbx == 0x5566778800000000 && context.Rsi == 0x5566778800000001;
  }
}

/* wasmtrap_call(function, NULL, NULL) with known values in two registers; notes its return address. */
wasmtrap_status_t call_noting_where(wasmtrap_function_t function, uintptr_t *place);
__asm__(
    ".text\n"
    ".globl call_noting_where\n"
    ".seh_proc call_noting_where\n"
    "call_noting_where:\n"
    "  push %rbx\n  .seh_pushreg %rbx\n"
    "  push %rsi\n  .seh_pushreg %rsi\n"
    "  sub $40, %rsp\n  .seh_stackalloc 40\n"
    "  .seh_endprologue\n"
    "  lea 1f(%rip), %rax\n"
    "  mov %rax, (%rdx)\n"
    "  mov $0x5566778800000000, %rbx\n"
    "  mov $0x5566778800000001, %rsi\n"
    "  xor %edx, %edx\n"
    "  xor %r8d, %r8d\n"
    "  call wasmtrap_call\n"
    "1: add $40, %rsp\n"
    "  pop %rsi\n"
    "  pop %rbx\n"
    "  ret\n"
    "  .seh_endproc\n");

static jmp_buf landing;

static void jumps(void *unused) {
  (void)unused;
  longjmp(landing, 1);
}

static void calls_what_jumps(void *unused) {
  (void)unused;
  (void)wasmtrap_call(jumps, NULL, NULL);
}

int main(void) {
  host_init();
  same(call_noting_where(look_outwards, &return_address), WASMTRAP_OK, "a call that looks outwards");
  ok(found, "it has found its caller, and the caller's registers (%d steps)", steps);

  for (volatile int i = 0; i < 3; i++) {
    if (setjmp(landing) == 0) {
      (void)wasmtrap_call(calls_what_jumps, NULL, NULL);
      ok(0, "not reached");
    }
    wasmtrap_chain_t *chain;
    same(wasmtrap_chain_detach(&chain), WASMTRAP_OK, "after the jump");
    ok(chain == NULL, "the thread is in no call");
  }
  ok(library_traps(), "and a trap is a trap");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "nobody is inside");
  return tap_done();
}
