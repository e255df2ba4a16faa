/* Threads that run one module, each with an instance of its own, get their own traps and nobody else's. */
#include <pthread.h>

#include "memory.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_memory;

WASM_FUNCTION(memory, load)
WASM_ACTION(memory, store)
WASM_FUNCTION(memory, grow)
WASM_INSTANTIATE(memory, (instance))

enum { THREADS = 8, ROUNDS = 2000, INSTANCES = 20 };

typedef struct worker_t {
  pthread_t thread;
  uint32_t number;
  int wrong;
} worker_t;

/* One life of an instance; returns how often something was not as it must be. */
static int live(uint32_t number, w2c_memory *instance) {
  int wrong = wasm_host_call(instantiate_memory, instance, 0, NULL, NULL) != WASMTRAP_OK;
  const wasm_rt_memory_t *memory = w2c_memory_memory(instance);
  wrong += wasm_host_result(grow_of_memory, instance, number % 4) != 1;
  for (uint32_t i = 0; i < ROUNDS / INSTANCES; i++) {
    wasmtrap_trap_t trap;
    const uint32_t address = memory->size + number * ROUNDS + i;
    const wasmtrap_status_t status = wasm_host_call(store_of_memory, instance, address, NULL, &trap);
    /* A Mach exception does not tell what the access was. */
    wrong += status != WASMTRAP_TRAPPED || trap.region_user != memory || trap.region_offset != address ||
             trap.access != (trap.exception == 0 ? WASMTRAP_ACCESS_WRITE : WASMTRAP_ACCESS_UNKNOWN);
    wrong += wasm_host_call(store_of_memory, instance, i, NULL, NULL) != WASMTRAP_OK;
    wrong += wasm_host_result(load_of_memory, instance, i) != 1;
  }
  wasm2c_memory_free(instance);
  return wrong;
}

static void *work(void *argument) {
  worker_t *worker = argument;
  static __thread w2c_memory instance;
  for (int i = 0; i < INSTANCES; i++) worker->wrong += live(worker->number, &instance);
  return NULL;
}

int main(void) {
  static worker_t workers[THREADS];
  wasm_host_set_up();
  wasm_host_add(&wasm_module_memory);
  for (uint32_t i = 0; i < THREADS; i++) {
    workers[i].number = i;
    must(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
  }
  for (uint32_t i = 0; i < THREADS; i++) {
    must(pthread_join(workers[i].thread, NULL) == 0);
    same(workers[i].wrong, 0, "thread %u: %d traps in %d instances", i, ROUNDS, INSTANCES);
  }
  return tap_done();
}
