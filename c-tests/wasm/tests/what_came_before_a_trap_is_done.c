/* When WebAssembly traps, all that comes before the trap has happened, and nothing of what comes after it, however the
 * compiler would have liked to move or merge it. */
#include "memory.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_memory;

WASM_FUNCTION(memory, load)
WASM_ACTION(memory, step_store_step)
WASM_ACTION(memory, step_load_step)
WASM_ACTION(memory, store_store)
WASM_INSTANTIATE(memory, (instance))

enum { END = 65536 };

int main(void) {
  static w2c_memory instance;
  wasm_host_set_up();
  wasm_host_add(&wasm_module_memory);
  wasm_host_result(instantiate_memory, &instance, 0);
  const uint32_t *progress = w2c_memory_progress(&instance);
  const wasm_rt_memory_t *memory = w2c_memory_memory(&instance);
  wasmtrap_trap_t trap;

  trapped_in(wasm_host_call(step_store_step_of_memory, &instance, END, NULL, &trap), &trap, memory, END, "a store");
  same(*progress, 1, "the global has what was set before the store");
  same(wasm_host_call(step_store_step_of_memory, &instance, 8, NULL, &trap), WASMTRAP_OK, "a good store");
  same(*progress, 2, "the global has what was set after it");

  trapped_in(wasm_host_call(step_load_step_of_memory, &instance, END, NULL, &trap), &trap, memory, END,
             "a load whose result is dropped");
  same(*progress, 1, "the global has what was set before the load");

  trapped_in(wasm_host_call(store_store_of_memory, &instance, END, NULL, &trap), &trap, memory, END,
             "a store between two to one place");
  same(wasm_host_result(load_of_memory, &instance, 0), 1, "the first is done, the second is not");
  wasm2c_memory_free(&instance);
  return tap_done();
}
