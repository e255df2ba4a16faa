/* A store to memory that may not be written is a trap whose access is a write, even where a read would be allowed. */
#include <signal.h>
#include <sys/mman.h>

#include "host.h"

int main(void) {
  host_init();
  linear_memory_t memory = linear_memory_new(2);
  host_register_code(&wasm_store);
  host_register_code(&wasm_load);
  host_register_region(memory.base, memory.reserved, WASMTRAP_CODE_NONE);
  unsigned char *const read_only = memory.base + page_size();
  must(mprotect(read_only, page_size(), PROT_READ) == 0);

  wasmtrap_trap_t trap;
  wasm_access_t access = {address_of(memory.base), 99};
  same(host_call(&wasm_store, &access, &trap), WASMTRAP_OK, "a store in bounds returns");
  same(memory.base[0], 99, "and has stored");

  access.address = address_of(memory.base + memory.size);
  trapped_with(host_call(&wasm_store, &access, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "in the guard");
  same(trap.access, if_told(trap.exception, WASMTRAP_ACCESS_WRITE), "a write");
  same(trap.pc, wasm_fault_pc(&wasm_store), "program counter");
  same(trap.fault_address, access.address, "fault address");
  same(trap.region_offset, memory.size, "region offset");

  access.address = address_of(read_only);
  same(host_call(&wasm_load, &access, &trap), WASMTRAP_OK, "a read-only page can be read");
  trapped_with(host_call(&wasm_store, &access, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "a store to a read-only page");
  same(trap.access, if_told(trap.exception, WASMTRAP_ACCESS_WRITE), "a write as well");
  reported_by(SIGSEGV, SEGV_ACCERR, trap);
  return tap_done();
}
