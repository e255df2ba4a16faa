/* int3 and brk belong to debuggers, unless the host asks for WASMTRAP_FAULT_BREAKPOINT. The program counter of the trap
 * is that of the instruction, wherever the processor leaves it. */
#include <signal.h>

#include "host.h"
#include "process.h"

static void call_breakpoint(void *unused) {
  (void)unused;
  host_init();
  host_register_code(&wasm_breakpoint);
  wasmtrap_trap_t trap;
  host_call(&wasm_breakpoint, NULL, &trap);
}

static void call_breakpoint_on_request(void *unused) {
  (void)unused;
  host_init_with_kinds(WASMTRAP_FAULT_BREAKPOINT);

  /* The instruction alone: the range ends where it ends. */
  wasm_code_t instruction = wasm_breakpoint;
  instruction.length = WASM_BREAKPOINT_SIZE;
  const uint64_t id = host_register_code_with_site(&instruction, WASMTRAP_CODE_NONE);
  wasmtrap_trap_t trap;
  trapped_with(host_call(&instruction, NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "on request it is a trap");
  reported_by(SIGTRAP, ANY_SIGNAL_CODE, trap);
  same(trap.pc, wasm_fault_pc(&instruction), "program counter of the instruction itself");
  same(trap.registers.pc, wasm_fault_pc(&instruction), "among the registers too");
  same(trap.code_offset, 0, "offset");
  same(trap.code_id, id, "code id");
  ok((trap.flags & WASMTRAP_HAS_SITE) != 0, "at its site");

  must(wasmtrap_code_unregister(id) == WASMTRAP_OK);
  host_register_code_with_site(&instruction, WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS);
  trapped_with(host_call(&instruction, NULL, &trap), &trap, WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS, "the site's code");
}

static void behind_a_range_that_ends_before(void *unused) {
  (void)unused;
  host_init_with_kinds(WASMTRAP_FAULT_BREAKPOINT);
  /* Only what follows the instruction is registered: where the processor leaves the program counter on x86-64. */
  wasm_code_t rest = wasm_breakpoint;
  rest.start += WASM_BREAKPOINT_SIZE;
  rest.length -= WASM_BREAKPOINT_SIZE;
  host_register_code(&rest);
  wasmtrap_trap_t trap;
  host_call(&wasm_breakpoint, NULL, &trap);
}

int main(void) {
  child_dies_of(SIGTRAP, call_breakpoint, NULL, "without the request it is the debugger's");
  child_passes(call_breakpoint_on_request, NULL, "with it, it is a trap");
  child_dies_of(SIGTRAP, behind_a_range_that_ends_before, NULL, "one just before a range is not in the range");
  return tap_done();
}
