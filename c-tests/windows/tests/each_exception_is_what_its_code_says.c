/* What the kernel's codes mean, for those that Wine does not make, and what software raises: by the records that
 * Windows would give, handed to wasmtrap_try_handle_signal by a protected call at whose code they are said to have
 * happened. */
#include <string.h>
#include <windows.h>

#include "host.h"

typedef struct case_t {
  DWORD code, flags, count;
  ULONG_PTR parameters[2];
  /* The trap's code; 0 if it is none. */
  wasmtrap_code_t expected;
  const char *name;
  /* How far from the program counter the exception says that it is. */
  size_t away;
} case_t;

static const case_t cases[] = {
    {EXCEPTION_ACCESS_VIOLATION, 0, 2, {0, 64}, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a read", 0},
    {EXCEPTION_ACCESS_VIOLATION, 0, 2, {8, 64}, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a fetch", 0},
    {EXCEPTION_DATATYPE_MISALIGNMENT, 0, 0, {0, 0}, WASMTRAP_CODE_HEAP_MISALIGNED, "a misaligned access", 0},
    {EXCEPTION_ILLEGAL_INSTRUCTION, 0, 0, {3, 5}, WASMTRAP_CODE_UNREACHABLE, "an illegal instruction", 0},
    {EXCEPTION_INT_DIVIDE_BY_ZERO, 0, 0, {0, 0}, WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO, "a division by zero", 0},
    {EXCEPTION_INT_OVERFLOW, 0, 0, {0, 0}, WASMTRAP_CODE_INTEGER_OVERFLOW, "an overflow", 0},
    {EXCEPTION_BREAKPOINT, 0, 1, {3, 5}, WASMTRAP_CODE_UNREACHABLE, "a breakpoint", 0},
    {EXCEPTION_IN_PAGE_ERROR, 0, 2, {0, 64}, 0, "memory that is lost", 0},
    {EXCEPTION_FLT_DIVIDE_BY_ZERO, 0, 0, {0, 0}, 0, "floating-point arithmetic", 0},
    {EXCEPTION_GUARD_PAGE, 0, 2, {0, 64}, 0, "a guard page", 0},
    {EXCEPTION_SINGLE_STEP, 0, 0, {0, 0}, 0, "a single step", 0},
    {EXCEPTION_PRIV_INSTRUCTION, 0, 0, {0, 0}, 0, "a privileged instruction", 0},
    {0xE06D7363, EXCEPTION_NONCONTINUABLE, 2, {0, 0}, 0, "a C++ exception", 0},
    {EXCEPTION_ACCESS_VIOLATION, EXCEPTION_NONCONTINUABLE, 2, {0, 64}, 0, "one that cannot go on", 0},
    {EXCEPTION_ACCESS_VIOLATION, EXCEPTION_UNWINDING, 2, {0, 64}, 0, "one of an unwinder's", 0},
    {EXCEPTION_ACCESS_VIOLATION, EXCEPTION_EXIT_UNWIND, 2, {0, 64}, 0, "one of an unwinder's at the end", 0},
    {EXCEPTION_ACCESS_VIOLATION, 0x80, 2, {0, 64}, 0, "one that software raised, by its flag", 0},
    {EXCEPTION_ACCESS_VIOLATION, 0, 2, {0, 64}, 0, "one that software raised, by its place", 1},
};

/* Of EFlags: what a trap leaves as it is, and what it does not. */
enum { CARRY = 1, DIRECTION = 1 << 10, ALIGNMENT_CHECK = 1 << 18 };

static volatile int handled, asked;
static DWORD flags_then;
static void *record_then;

static wasmtrap_verdict_t declines(wasmtrap_fault_t *fault, void *shown) {
  asked++;
  *(void **)shown = fault->siginfo;
  return WASMTRAP_VERDICT_FORWARD;
}

static void happens(void *argument) {
  const case_t *const it = argument;
  EXCEPTION_RECORD record;
  memset(&record, 0, sizeof record);
  record.ExceptionCode = it->code;
  record.ExceptionFlags = it->flags;
  record.NumberParameters = it->count;
  memcpy(record.ExceptionInformation, it->parameters, sizeof it->parameters);
  CONTEXT context;
  memset(&context, 0, sizeof context);
  RtlCaptureContext(&context);
  context.Rip = wasm_fault_pc(&wasm_load);
  record.ExceptionAddress = (void *)(uintptr_t)(context.Rip + it->away);
  context.EFlags |= CARRY | DIRECTION | ALIGNMENT_CHECK;
  record_then = &record;
  handled = wasmtrap_try_handle_signal(0, &record, &context);
  flags_then = context.EFlags;
  if (handled) RtlRestoreContext(&context, NULL);
}

int main(void) {
  host_init_with_kinds(HOST_ALL_KINDS);
  host_register_code(&wasm_load);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    case_t it = cases[i];
    wasmtrap_trap_t trap = host_new_trap();
    const wasmtrap_status_t status = wasmtrap_call(happens, &it, &trap);
    same(status, it.expected != 0 ? WASMTRAP_TRAPPED : WASMTRAP_OK, "%s", it.name);
    same(handled, it.expected != 0, "%s: handled", it.name);
    same(trap.code, it.expected, "%s: the trap's code", it.name);
    if (it.expected == 0) continue;
    same((uint32_t)trap.exception, it.code, "%s: the exception", it.name);
    same(trap.exception_code_count, it.count, "%s: its parameters", it.name);
    same(trap.exception_codes[0], it.count > 0 ? it.parameters[0] : 0, "%s: the first one", it.name);
    same(trap.exception_codes[1], it.count > 1 ? it.parameters[1] : 0, "%s: the second one", it.name);
    same(flags_then & (CARRY | DIRECTION | ALIGNMENT_CHECK), CARRY, "%s: the flags with which the trap lands", it.name);
    same(trap.pc, wasm_fault_pc(&wasm_load), "%s: program counter", it.name);
  }
  /* Lost memory is a trap where a region says so of its accessible part. */
  wasmtrap_region_desc_t region;
  memset(&region, 0, sizeof region);
  region.struct_size = sizeof region;
  region.base = inaccessible_page();
  region.length = region.accessible = 4096;
  region.accessible_code = 0x1234;
  uint64_t id;
  must(wasmtrap_region_register(&region, &id) == WASMTRAP_OK);
  case_t lost = {EXCEPTION_IN_PAGE_ERROR, 0, 3, {0, address_of(region.base)}, 0, "memory that is lost", 0};
  wasmtrap_trap_t trap = host_new_trap();
  same(wasmtrap_call(happens, &lost, &trap), WASMTRAP_TRAPPED, "memory of a region that is lost");
  same(trap.code, 0x1234, "the region's code");
  same(trap.exception_code_count, 2, "two of the three parameters are in the record");
  /* The fault handler is shown the record itself. */
  void *shown = NULL;
  must(wasmtrap_set_fault_handler(declines, &shown) == WASMTRAP_OK);
  same(wasmtrap_call(happens, &lost, &trap), WASMTRAP_TRAPPED, "with a fault handler");
  same(asked, 1, "which is asked");
  ok(shown == record_then, "about the exception's record");
  must(wasmtrap_set_fault_handler(NULL, NULL) == WASMTRAP_OK);
  CONTEXT context;
  memset(&context, 0, sizeof context);
  EXCEPTION_RECORD record;
  memset(&record, 0, sizeof record);
  same(wasmtrap_try_handle_signal(0, &record, &context), 0, "zeroed structures");
  same(wasmtrap_try_handle_signal(0, NULL, &context), 0, "no record");
  same(wasmtrap_try_handle_signal(0, &record, NULL), 0, "no context");
  return tap_done();
}
