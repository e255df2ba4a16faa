/* For an address that no page can have, an x86-64 processor does not tell which one it was. It is a trap nevertheless;
 * the record says that there is no address. */
#include <signal.h>

#include "host.h"

#if defined(__x86_64__)
int main(void) {
  host_init();
  host_register_code(&wasm_load);
  linear_memory_t memory = linear_memory_new(1);
  /* Nothing is known of the address, so nothing puts it into the region that holds address 0. */
  host_register_region((void *)1, page_size(), WASMTRAP_CODE_NULL_REFERENCE);
  host_register_region(memory.base, memory.reserved, WASMTRAP_CODE_NONE);

  wasm_access_t access = {UINT64_C(0x8000000000000000), 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_load, &access, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "it is a trap");
  same(trap.flags, WASMTRAP_HAS_CODE | WASMTRAP_HAS_REGISTERS, "without an address, hence without a region");
  same(trap.fault_address, 0, "the address that is not set is 0");
  same(trap.region_id, 0, "nor is the region");
  same(trap.registers.general[0], access.address, "the registers know it");
  reported_by(SIGSEGV, ANY_SIGNAL_CODE, trap);

  host_register_code(&wasm_load_by_rbp);
  trapped_with(host_call(&wasm_load_by_rbp, &access, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "so it is through a register that belongs to the stack");
  same(trap.flags, WASMTRAP_HAS_CODE | WASMTRAP_HAS_REGISTERS, "without an address as well");
  reported_by(SIGBUS, ANY_SIGNAL_CODE, trap);
  return tap_done();
}
#else
int main(void) { return tap_skip_all("this processor tells every address"); }
#endif
