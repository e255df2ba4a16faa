/* Code that was made at run time traps with unwind information (RtlAddFunctionTable) and without. With it, C++
 * exceptions of imports pass through it, and a fault of an import comes to the handler of a frame further out, in its
 * true place. */
#include <cstring>
#include <windows.h>

#include "host.h"

namespace {

/* The guest: calls the import that its argument names, then traps. */
const unsigned char code[] = {
    0x55,                   // push %rbp
    0x48, 0x89, 0xe5,       // mov %rsp, %rbp
    0x48, 0x83, 0xec, 0x20, // sub $32, %rsp
    0x48, 0x8b, 0x01,       // mov (%rcx), %rax
    0x48, 0x8b, 0x49, 0x08, // mov 8(%rcx), %rcx
    0xff, 0xd0,             // call *%rax
    0x0f, 0x0b,             // ud2
};
/* UNWIND_INFO: its prologue of 8 bytes allocates 32 bytes, sets rbp as the frame pointer and pushes it. */
const unsigned char unwind[] = {0x01, 0x08, 0x03, 0x05, 0x08, 0x32, 0x04, 0x03, 0x01, 0x50, 0, 0};
enum { UNWIND_AT = 64 };

struct import_t {
  wasmtrap_function_t function;
  void *argument;
};

wasmtrap_function_t guest;
RUNTIME_FUNCTION table;

void make_guest() {
  unsigned char *const memory =
      static_cast<unsigned char *>(VirtualAlloc(nullptr, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_EXECUTE_READWRITE));
  must(memory != nullptr);
  std::memcpy(memory, code, sizeof code);
  std::memcpy(memory + UNWIND_AT, unwind, sizeof unwind);
  std::memcpy(&guest, &memory, sizeof guest);
  wasmtrap_code_desc_t desc = {};
  desc.struct_size = sizeof desc;
  desc.start = memory;
  desc.length = sizeof code;
  uint64_t id;
  must(wasmtrap_code_register(&desc, &id) == WASMTRAP_OK);
  table.BeginAddress = 0;
  table.EndAddress = sizeof code;
  table.UnwindData = UNWIND_AT;
}

void add_table() {
  void *start;
  std::memcpy(&start, &guest, sizeof start);
  must(RtlAddFunctionTable(&table, 1, reinterpret_cast<DWORD64>(start)));
}

void returns(void *) {}

void throws(void *number) { throw *static_cast<int *>(number); }

void traps(const char *name) {
  import_t import = {returns, nullptr};
  wasmtrap_trap_t trap = host_new_trap();
  trapped_with(wasmtrap_call(guest, &import, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, name);
}

int catches(int number) {
  import_t import = {throws, &number};
  try {
    (void)wasmtrap_call(guest, &import, nullptr);
  } catch (const int &caught) {
    return caught;
  }
  return 0;
}

} // namespace

extern "C" {
void faulting_load(void *address);
extern const unsigned char faulting_load_at[], faulting_load_end[];
wasmtrap_status_t call_below_a_handler(wasmtrap_function_t function, void *argument, wasmtrap_trap_t *trap);
EXCEPTION_DISPOSITION outer_handler(EXCEPTION_RECORD *record, void *frame, CONTEXT *context, void *dispatcher);
}

/* An import that faults, and a frame with a handler around wasmtrap_call. */
__asm__(".text\n"
        ".globl faulting_load, faulting_load_at, faulting_load_end\n"
        ".seh_proc faulting_load\n"
        "faulting_load:\n"
        "  sub $40, %rsp\n"
        "  .seh_stackalloc 40\n"
        "  .seh_endprologue\n"
        "faulting_load_at:\n"
        "  mov (%rcx), %rax\n"
        "faulting_load_end:\n"
        "  add $40, %rsp\n"
        "  ret\n"
        "  .seh_endproc\n"
        ".globl call_below_a_handler\n"
        ".seh_proc call_below_a_handler\n"
        "call_below_a_handler:\n"
        "  sub $40, %rsp\n"
        "  .seh_stackalloc 40\n"
        "  .seh_endprologue\n"
        "  call wasmtrap_call\n"
        "  nop\n"
        "  add $40, %rsp\n"
        "  ret\n"
        "  .seh_handler outer_handler, @except\n"
        "  .seh_endproc\n");

static volatile int handled;
static volatile size_t seen_at;

EXCEPTION_DISPOSITION outer_handler(EXCEPTION_RECORD *record, void *, CONTEXT *context, void *) {
  handled = handled + 1;
  seen_at = reinterpret_cast<size_t>(record->ExceptionAddress);
  if (record->ExceptionCode != EXCEPTION_ACCESS_VIOLATION) return ExceptionContinueSearch;
  context->Rip = reinterpret_cast<DWORD64>(faulting_load_end);
  return ExceptionContinueExecution;
}

int main() {
  host_init();
  make_guest();
  traps("without unwind information");
  add_table();
  traps("with unwind information");
  for (int i = 1; i <= 3; i++) same(catches(i), i, "an exception passes through the guest");
  wasmtrap_chain_t *chain;
  same(wasmtrap_chain_detach(&chain), WASMTRAP_OK, "after the exceptions");
  ok(chain == nullptr, "the thread is in no call");

  import_t import = {faulting_load, inaccessible_page()};
  wasmtrap_trap_t trap = host_new_trap();
  trapped_with(call_below_a_handler(guest, &import, &trap), &trap, WASMTRAP_CODE_UNREACHABLE,
               "a guest whose import has faulted goes on");
  same(handled, 1, "with the fault at the handler of a frame further out");
  same(seen_at, reinterpret_cast<size_t>(faulting_load_at), "in its place");
  must(RtlDeleteFunctionTable(&table));
  traps("without unwind information again");
  return tap_done();
}
