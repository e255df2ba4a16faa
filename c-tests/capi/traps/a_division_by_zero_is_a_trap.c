/* A division by zero is a trap on x86-64, where the instruction faults. So is the one quotient that does not fit, for
 * which the processor has the same fault: there the trap site knows better. */
#include <limits.h>
#include <signal.h>

#include "host.h"

#if defined(__x86_64__)
int main(void) {
  host_init();
  const uint64_t id = host_register_code(&wasm_divide);

  wasmtrap_trap_t trap;
  wasm_access_t division = {84, 2};
  same(host_call(&wasm_divide, &division, &trap), WASMTRAP_OK, "84 / 2 returns");
  same(division.value, 42, "42");

  division = (wasm_access_t){1, 0};
  trapped_with(host_call(&wasm_divide, &division, &trap), &trap, WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO, "1 / 0");
  reported_by(SIGFPE, FPE_INTDIV, trap);
  same(trap.pc, wasm_fault_pc(&wasm_divide), "program counter");
  same(trap.flags, WASMTRAP_HAS_CODE | WASMTRAP_HAS_REGISTERS, "no address and no region");
  same(trap.access, WASMTRAP_ACCESS_UNKNOWN, "no access to memory");

  must(wasmtrap_code_unregister(id) == WASMTRAP_OK);
  host_register_code_with_site(&wasm_divide, WASMTRAP_CODE_INTEGER_OVERFLOW);
  division = (wasm_access_t){(uint32_t)INT_MIN, (uint32_t)-1};
  trapped_with(host_call(&wasm_divide, &division, &trap), &trap, WASMTRAP_CODE_INTEGER_OVERFLOW,
               "INT_MIN / -1 at a site that says integer overflow");
  return tap_done();
}
#else
int main(void) { return tap_skip_all("a division does not fault on this processor"); }
#endif
