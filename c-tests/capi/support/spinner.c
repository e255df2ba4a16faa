#include "spinner.h"

#include <sched.h>

#include "host.h"

static void *spin(void *state) {
  wasmtrap_trap_t trap;
  must(host_call(&wasm_spin, state, &trap) == WASMTRAP_OK);
  return NULL;
}

void spinner_start(spinner_t *spinner) {
  spinner->state.address = spinner->state.value = 0;
  must(pthread_create(&spinner->thread, NULL, spin, &spinner->state) == 0);
  while (__atomic_load_n(&spinner->state.address, __ATOMIC_ACQUIRE) == 0) sched_yield();
}

void spinner_stop(spinner_t *spinner) {
  __atomic_store_n(&spinner->state.value, 1, __ATOMIC_RELEASE);
  must(pthread_join(spinner->thread, NULL) == 0);
}
