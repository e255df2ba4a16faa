/* One thread sets the library up and shuts it down all the time while others make protected calls: each call either
 * runs to its trap or says that the library is not set up, and a shutdown during a call is refused. Many threads that
 * set it up at once all succeed. */
#include <pthread.h>
#include <sched.h>

#include "host.h"

enum { CALLERS = 3, ROUNDS = 5000, STARTERS = 8 };

static volatile int done;
static volatile int wrong, trapped, not_ready, busy;

static void raise_it(void *unused) {
  (void)unused;
  wasmtrap_raise(WASMTRAP_CODE_USER, 7);
}

static void *call_all_the_time(void *unused) {
  while (!done) {
    wasmtrap_trap_t trap = host_new_trap();
    const wasmtrap_status_t status = wasmtrap_call(raise_it, NULL, &trap);
    if (status == WASMTRAP_TRAPPED && trap.payload == 7) {
      __atomic_add_fetch(&trapped, 1, __ATOMIC_RELAXED);
    } else if (status == WASMTRAP_ERR_NOT_INITIALIZED) {
      __atomic_add_fetch(&not_ready, 1, __ATOMIC_RELAXED);
    } else {
      __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
    }
  }
  return unused;
}

static void *start(void *unused) {
  if (wasmtrap_init(NULL) != WASMTRAP_OK) __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
  return unused;
}

int main(void) {
  pthread_t starters[STARTERS];
  for (int i = 0; i < STARTERS; i++) must(pthread_create(&starters[i], NULL, start, NULL) == 0);
  for (int i = 0; i < STARTERS; i++) must(pthread_join(starters[i], NULL) == 0);
  same(wrong, 0, "threads that set it up at once all succeed");
  /* One user is left. */
  for (int i = 1; i < STARTERS; i++) must(wasmtrap_shutdown() == WASMTRAP_OK);
  ok(library_traps(), "a trap is a trap");

  pthread_t callers[CALLERS];
  for (int i = 0; i < CALLERS; i++) must(pthread_create(&callers[i], NULL, call_all_the_time, NULL) == 0);
  while (trapped == 0) sched_yield();
  for (int i = 0; i < ROUNDS; i++) {
    const wasmtrap_status_t status = wasmtrap_shutdown();
    if (status == WASMTRAP_ERR_BUSY) {
      busy++;
    } else if (status != WASMTRAP_OK || wasmtrap_init(NULL) != WASMTRAP_OK) {
      wrong++;
    }
  }
  done = 1;
  for (int i = 0; i < CALLERS; i++) must(pthread_join(callers[i], NULL) == 0);
  same(wrong, 0, "nothing else happened than what may happen");
  tap_note("%d traps, %d calls while it was shut down, %d shutdowns refused", trapped, not_ready, busy);
  ok(library_traps(), "a trap is a trap");
  return tap_done();
}
