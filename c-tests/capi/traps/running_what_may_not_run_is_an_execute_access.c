/* Registered code whose pages are not executable (discarded, or not published yet) traps with an execute access. */
#include <signal.h>
#include <sys/mman.h>

#include "host.h"

int main(void) {
  host_init();
  const wasm_code_t load = wasm_compile(&wasm_load);
  const uint64_t code_id = host_register_code(&load);
  must(mprotect((void *)(uintptr_t)load.start, load.length, PROT_READ) == 0);

  wasmtrap_trap_t trap;
  trapped_with(host_call(&load, NULL, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "it is a trap");
  same(trap.access, if_told(trap.exception, WASMTRAP_ACCESS_EXECUTE), "access");
  same(trap.pc, address_of(load.start), "program counter");
  same(trap.fault_address, address_of(load.start), "which is the fault address too");
  same(trap.code_id, code_id, "code id");
  return tap_done();
}
