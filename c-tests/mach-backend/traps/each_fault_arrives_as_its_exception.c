/* The trap's record has the exception and the codes that the kernel sent, no signal, and the registers of the fault. */
#include <signal.h>
#include <sys/mman.h>

#include <mach/mach.h>

#include "backend.h"
#include "cases.h"
#include "host_rules.h"

static void is(const wasmtrap_trap_t *trap, int exception, int64_t code, int64_t subcode) {
  same(trap->exception, exception, "the exception");
  same(trap->exception_code_count, 2, "two codes");
  same(trap->exception_codes[0], code, "the first");
  same(trap->exception_codes[1], subcode, "the second");
  same(trap->signal, 0, "no signal");
  same(trap->signal_code, 0, "nor its code");
  same(trap->source, WASMTRAP_SOURCE_FAULT, "by a fault");
  ok((trap->flags & WASMTRAP_HAS_REGISTERS) != 0, "with registers");
  same(trap->registers.pc, trap->pc, "of which one is the program counter");
}

static void a_protected_page(void) {
  init_mach_ports(HOST_ALL_KINDS);
  host_register_code(&wasm_load);
  unsigned char *const page = protected_page();
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, page + 16, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a trap");
  is(&trap, EXC_BAD_ACCESS, KERN_PROTECTION_FAILURE, (int64_t)address_of(page + 16));
  same(trap.fault_address, address_of(page + 16), "the address");
  same(trap.pc, wasm_fault_pc(&wasm_load), "the instruction");
}

static void an_unmapped_page(void) {
  init_mach_ports(HOST_ALL_KINDS);
  host_register_code(&wasm_load);
  unsigned char *const page = hole();
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a trap");
  is(&trap, EXC_BAD_ACCESS, KERN_INVALID_ADDRESS, (int64_t)address_of(page));
}

static void write_to_what_may_be_read(void) {
  init_mach_ports(HOST_ALL_KINDS);
  host_register_code(&wasm_store);
  unsigned char *const page = protected_page();
  must(mprotect(page, page_size(), PROT_READ) == 0);
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_store, page, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a trap");
  is(&trap, EXC_BAD_ACCESS, KERN_PROTECTION_FAILURE, (int64_t)address_of(page));
}

static void illegal_instruction(void) {
  init_mach_ports(HOST_ALL_KINDS);
  host_register_code(&wasm_unreachable);
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_unreachable, NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "a trap");
  same(trap.exception, EXC_BAD_INSTRUCTION, "the exception");
  same(trap.exception_codes[0], 1, "its first code");
  same(trap.signal, 0, "no signal");
  same(trap.pc, wasm_fault_pc(&wasm_unreachable), "the instruction");
}

static void breakpoint(void) {
  init_mach_ports(HOST_ALL_KINDS);
  host_register_code(&wasm_breakpoint);
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_breakpoint, NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "a trap");
  same(trap.exception, EXC_BREAKPOINT, "the exception, which a debugger at task level does not see");
  same(trap.signal, 0, "no signal");
  same(trap.pc, wasm_fault_pc(&wasm_breakpoint), "the instruction, not the one behind it");
}

/* Breakpoints belong to debuggers unless they are asked for. */
static void breakpoint_not_asked_for(void) {
  if (a_debugger_takes_breakpoints()) skip_case("a debugger takes breakpoints");
  init_mach_ports(0);
  host_register_code(&wasm_breakpoint);
  wasmtrap_trap_t trap;
  host_call(&wasm_breakpoint, NULL, &trap);
}

static void division(void) {
#if defined(__x86_64__)
  init_mach_ports(HOST_ALL_KINDS);
  host_register_code(&wasm_divide);
  wasm_access_t by_zero = {7, 0}, overflow = {0x80000000, 0xffffffff};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_divide, &by_zero, &trap), &trap, WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO, "by zero");
  is(&trap, EXC_ARITHMETIC, 1, 0);
  trapped_with(host_call(&wasm_divide, &overflow, &trap), &trap, WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO, "overflow");
  is(&trap, EXC_ARITHMETIC, 1, 0);
#else
  skip_case("integer division does not fault on arm64");
#endif
}

static void address_that_is_none(void) {
#if defined(__x86_64__)
  init_mach_ports(HOST_ALL_KINDS);
  host_register_code(&wasm_load);
  wasm_access_t access = {UINT64_C(0x8000000000000000), 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_load, &access, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a trap");
  same(trap.exception, EXC_BAD_ACCESS, "the exception");
  same(trap.exception_codes[0], 13, "general protection");
  same(trap.flags & WASMTRAP_HAS_FAULT_ADDRESS, 0, "without an address");
#else
  skip_case("arm64 has no addresses that are none");
#endif
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"a page that may not be touched", a_protected_page, 0},
      {"a page that is not mapped", an_unmapped_page, 0},
      {"a page that may be read only", write_to_what_may_be_read, 0},
      {"an illegal instruction", illegal_instruction, 0},
      {"a breakpoint", breakpoint, 0},
      {"a breakpoint that was not asked for", breakpoint_not_asked_for, SIGTRAP},
      {"a division", division, 0},
      {"an address that is none", address_that_is_none, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
