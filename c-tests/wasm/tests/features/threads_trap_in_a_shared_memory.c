/* Threads that share a memory trap past its end, each for itself, while others grow it; an atomic access that is not
 * aligned is a trap of its own kind. */
#include <pthread.h>

#include "shared.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_shared;

WASM_FUNCTION(shared, add)
WASM_FUNCTION(shared, load)
WASM_FUNCTION(shared, grow)
WASM_INSTANTIATE(shared, (instance))

enum { THREADS = 4, ROUNDS = 500 };

static w2c_shared instance;

static int is_past_the_end(wasmtrap_status_t status, const wasmtrap_trap_t *trap, uint64_t address) {
  return status == WASMTRAP_TRAPPED && trap->code == WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS &&
         (trap->flags & WASMTRAP_HAS_REGION) != 0 && trap->region_user == (void *)w2c_shared_memory(&instance) &&
         trap->region_offset == address;
}

static void *work(void *unused) {
  (void)unused;
  wasm_rt_init_thread();
  wasmtrap_trap_t trap;
  size_t right = 0;
  for (int i = 0; i < ROUNDS; i++) {
    wasm_host_result(add_of_shared, &instance, 0);
    right += is_past_the_end(wasm_host_call(add_of_shared, &instance, 131072, NULL, &trap), &trap, 131072);
    right += is_past_the_end(wasm_host_call(load_of_shared, &instance, 0xffffffff, NULL, &trap), &trap, 0xffffffff);
    right += wasm_host_call(add_of_shared, &instance, 2, NULL, &trap) == WASMTRAP_TRAPPED &&
             trap.code == WASMTRAP_CODE_HEAP_MISALIGNED;
    if (i == ROUNDS / 2) wasm_host_result(grow_of_shared, &instance, 1);
  }
  wasm_rt_free_thread();
  return right == 3 * ROUNDS ? &instance : NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  wasm_host_set_up();
  wasm_host_add(&wasm_module_shared);
  wasm_host_result(instantiate_shared, &instance, 0);
  for (int i = 0; i < THREADS; i++) must(pthread_create(&threads[i], NULL, work, NULL) == 0);
  for (int i = 0; i < THREADS; i++) {
    void *right;
    must(pthread_join(threads[i], &right) == 0);
    ok(right != NULL, "thread %d", i);
  }
  same(wasm_host_result(load_of_shared, &instance, 0), THREADS * ROUNDS, "nothing was lost");
  same(wasm_host_result(load_of_shared, &instance, 65536), 0, "it has grown");
  wasm2c_shared_free(&instance);
  wasmtrap_region_info_t region = {.struct_size = sizeof region};
  same(wasmtrap_region_lookup(w2c_shared_memory(&instance), &region), WASMTRAP_ERR_NOT_FOUND, "and is no region");
  return tap_done();
}
