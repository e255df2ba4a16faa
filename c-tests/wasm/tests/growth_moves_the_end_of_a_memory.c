/* A memory that has grown is good up to its new end, traps right behind it, and does not grow past its maximum. */
#include "memory.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_memory;

WASM_FUNCTION(memory, load)
WASM_ACTION(memory, store)
WASM_FUNCTION(memory, grow)
WASM_INSTANTIATE(memory, (instance))

enum { PAGE = 65536, MAXIMUM = 5 };

int main(void) {
  static w2c_memory instance;
  wasmtrap_trap_t trap;
  wasm_host_set_up();
  wasm_host_add(&wasm_module_memory);
  wasm_host_result(instantiate_memory, &instance, 0);
  const wasm_rt_memory_t *memory = w2c_memory_memory(&instance);

  for (uint32_t pages = 1; pages <= MAXIMUM; pages++) {
    const uint32_t end = pages * PAGE;
    same(wasm_host_call(store_of_memory, &instance, end - 1, NULL, &trap), WASMTRAP_OK, "last byte of %u pages", pages);
    trapped_in(wasm_host_call(store_of_memory, &instance, end, NULL, &trap), &trap, memory, end, "store behind it");
    trapped_in(wasm_host_call(load_of_memory, &instance, end, NULL, &trap), &trap, memory, end, "load behind it");
    if (pages < MAXIMUM) {
      same(wasm_host_result(grow_of_memory, &instance, 1), pages, "growth returns the old size");
      same(wasm_host_result(load_of_memory, &instance, end), 0, "the new page is zero");
      same(wasm_host_result(load_of_memory, &instance, end - 1), 1, "the old page is as it was");
    }
  }
  same(wasm_host_result(grow_of_memory, &instance, 1), UINT32_MAX, "no growth past the maximum");
  same(wasm_host_result(grow_of_memory, &instance, UINT32_MAX), UINT32_MAX, "no growth by all there is");
  same(wasm_host_result(grow_of_memory, &instance, 0), MAXIMUM, "growth by nothing returns the size");
  trapped_in(wasm_host_call(load_of_memory, &instance, MAXIMUM * PAGE, NULL, &trap), &trap, memory, MAXIMUM * PAGE,
             "the end has not moved");
  wasm2c_memory_free(&instance);
  return tap_done();
}
