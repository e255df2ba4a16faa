/* A vector at the highest address and offset is past the 8 GiB that these can name, and is a trap none the less; what
 * came before the trap is done, and what came after is not. */
#include "vectors.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_vectors;

WASM_FUNCTION(vectors, load)
WASM_FUNCTION(vectors, load_far)
WASM_ACTION(vectors, step_store_step)
WASM_INSTANTIATE(vectors, (instance))

int main(void) {
  static w2c_vectors instance;
  wasmtrap_trap_t trap;
  wasm_host_set_up();
  wasm_host_add(&wasm_module_vectors);
  wasm_host_result(instantiate_vectors, &instance, 0);
  const wasm_rt_memory_t *memory = w2c_vectors_memory(&instance);

  same(wasm_host_result(load_of_vectors, &instance, 65520), 0, "the last vector");
  trapped_in(wasm_host_call(load_of_vectors, &instance, 65536, NULL, &trap), &trap, memory, 65536, "the one behind it");
  trapped_in(wasm_host_call(load_far_of_vectors, &instance, 0xffffffff, NULL, &trap), &trap, memory, 0x1fffffffe,
             "the last that can be named");
  trapped_in(wasm_host_call(step_store_step_of_vectors, &instance, 65536, NULL, &trap), &trap, memory, 65536,
             "a store");
  same(*w2c_vectors_progress(&instance), 1, "is where it was");
  same(wasm_host_call(step_store_step_of_vectors, &instance, 65520, NULL, &trap), WASMTRAP_OK, "a good one");
  same(wasm_host_result(load_of_vectors, &instance, 65520), 4, "is seen");
  wasm2c_vectors_free(&instance);
  return tap_done();
}
