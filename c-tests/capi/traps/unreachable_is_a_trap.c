/* ud2 (x86-64) and udf (arm64) are `unreachable`. */
#include <signal.h>

#include "host.h"

int main(void) {
  host_init();
  host_register_code(&wasm_unreachable);

  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_unreachable, NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "unreachable");
  same_text(wasmtrap_code_name(trap.code), "unreachable", "in the specification's words");
  reported_by(SIGILL, ANY_SIGNAL_CODE, trap);
  same(trap.pc, wasm_fault_pc(&wasm_unreachable), "program counter");
  same(trap.flags, WASMTRAP_HAS_CODE | WASMTRAP_HAS_REGISTERS, "no address and no region");
  same(trap.fault_address, 0, "the address that is not set is 0");
  same(trap.access, WASMTRAP_ACCESS_UNKNOWN, "no access to memory");
  return tap_done();
}
