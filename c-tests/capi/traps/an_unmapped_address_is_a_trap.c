/* Memory that is not mapped at all faults with another signal code than a guard page; it is the same trap. */
#include <signal.h>

#include "host.h"

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  unsigned char *const nothing = hole();
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, nothing, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a hole");
  reported_by(SIGSEGV, SEGV_MAPERR, trap);
  same(trap.fault_address, address_of(nothing), "fault address");

  trapped_with(host_load(&wasm_load, NULL, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "address 0");
  ok((trap.flags & WASMTRAP_HAS_FAULT_ADDRESS) != 0, "0 is a fault address like any other");
  same(trap.fault_address, 0, "and told");
  same(trap.access, if_told(trap.exception, WASMTRAP_ACCESS_READ), "access");
  return tap_done();
}
