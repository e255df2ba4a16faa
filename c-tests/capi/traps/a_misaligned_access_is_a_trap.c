/* An access that the processor wants aligned, and is not, is "unaligned atomic", not out of bounds. */
#include <signal.h>

#include "host.h"

int main(void) {
  host_init();
  host_register_code(&wasm_load_aligned);
  linear_memory_t memory = linear_memory_new(1);

  wasmtrap_trap_t trap;
  same(host_load(&wasm_load_aligned, memory.base + 8, &trap), WASMTRAP_OK, "an aligned one returns");
  trapped_with(host_load(&wasm_load_aligned, memory.base + 12 + 1, &trap), &trap, WASMTRAP_CODE_HEAP_MISALIGNED,
               "a misaligned one is a trap");
  same_text(wasmtrap_code_name(trap.code), "unaligned atomic", "in the specification's words");
  reported_by(SIGBUS, BUS_ADRALN, trap);
  same(trap.pc, wasm_fault_pc(&wasm_load_aligned), "program counter");

  /* The alignment check of x86-64 is a flag, and it was on when the code trapped. The host runs without it. */
  uint64_t words[2] = {0, 0};
  same(host_load(&wasm_load, (unsigned char *)words + 1, &trap), WASMTRAP_OK, "the host may do misaligned accesses");
  return tap_done();
}
