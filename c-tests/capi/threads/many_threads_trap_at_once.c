/* Threads trap independently: each finds its own trap record, whatever the others do. */
#include <pthread.h>

#include "host.h"

enum { THREADS = 16, TRAPS = 5000 };

typedef struct worker_t {
  pthread_t thread;
  uint64_t number;
  int wrong;
} worker_t;

static linear_memory_t memory;

static void raise_number(void *number) { wasmtrap_raise(WASMTRAP_CODE_USER, *(const uint64_t *)number); }

static void *work(void *argument) {
  worker_t *const worker = argument;
  for (uint64_t i = 0; i < TRAPS; i++) {
    const uint64_t offset = memory.size + worker->number * 256 + i % 256;
    wasmtrap_trap_t trap;
    if (host_load(&wasm_load, memory.base + offset, &trap) != WASMTRAP_TRAPPED || trap.region_offset != offset) {
      worker->wrong++;
    }
    uint64_t payload = worker->number << 32 | i;
    wasm_import_t import = {raise_number, &payload};
    if (host_call(&wasm_call_import, &import, &trap) != WASMTRAP_TRAPPED || trap.payload != payload) worker->wrong++;
    if (host_call(&wasm_unreachable, NULL, &trap) != WASMTRAP_TRAPPED || trap.code != WASMTRAP_CODE_UNREACHABLE) {
      worker->wrong++;
    }
  }
  return NULL;
}

int main(void) {
  host_init();
  memory = linear_memory_new(1);
  host_register_region(memory.base, memory.reserved, WASMTRAP_CODE_NONE);
  host_register_code(&wasm_load);
  host_register_code(&wasm_call_import);
  host_register_code(&wasm_unreachable);
  worker_t workers[THREADS];
  for (uint64_t i = 0; i < THREADS; i++) {
    workers[i] = (worker_t){.number = i};
    must(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++) {
    must(pthread_join(workers[i].thread, NULL) == 0);
    same(workers[i].wrong, 0, "thread %d saw its own traps", i);
  }
  return tap_done();
}
