/* Threads make runs one after the other, of each kind of guest, while others interrupt whatever runs: every interrupt
 * that was accepted either ends its own run or goes with it. No plain call in between is interrupted, a guest that
 * never ends by itself is always ended, and traps of the guest's own are not lost. */
#include <sched.h>
#include <string.h>

#include "runs.h"

/* On Windows each interrupt suspends a thread, which under Wine takes several turns of another process. */
#if defined(_WIN32)
enum { RUNS = 400 };
#else
enum { RUNS = 3000 };
#endif
enum { THREADS = 2, INTERRUPTERS = 2 };

typedef struct lane_t {
  /* The run that is to be interrupted, 0 if there is none. */
  wasmtrap_run_t run;
  wasm_access_t spin, load;
  int lost, late, foreign, own_traps, interrupted;
} lane_t;

static lane_t lanes[THREADS];
static int done;
static unsigned char *page;

static void nothing(void *unused) {
  (void)unused;
  wasmtrap_interrupt_point();
}

/* A trap of the guest's own, in a call within the run, and then one more guest. */
static void mixed(void *argument) {
  lane_t *const lane = argument;
  wasmtrap_trap_t trap = host_new_trap();
  const wasmtrap_status_t status = host_call(&wasm_load, &lane->load, &trap);
  if (status == WASMTRAP_TRAPPED && trap.source == WASMTRAP_SOURCE_FAULT) {
    lane->own_traps++;
  } else if (trap.source != WASMTRAP_SOURCE_INTERRUPT || trap.payload != lane->run) {
    lane->foreign++;
  }
  wasmtrap_interrupt_point();
}

static void *make_runs(void *argument) {
  lane_t *const lane = argument;
  lane->load.address = address_of(page);
  for (int i = 0; i < RUNS; i++) {
    wasmtrap_trap_t trap = host_new_trap();
    const wasmtrap_run_t run = run_open();
    memset(&lane->spin, 0, sizeof lane->spin);
    __atomic_store_n(&lane->run, run, __ATOMIC_SEQ_CST);
    wasmtrap_status_t status;
    switch (i % 4) {
      case 0: /* ends by an interrupt only */
        status = wasmtrap_run_call(run, wasm_spin.function, &lane->spin, &trap);
        lane->lost += status != WASMTRAP_TRAPPED;
        break;
      case 1: status = wasmtrap_run_call(run, mixed, lane, &trap); break;
      case 2: status = wasmtrap_run_call(run, wasm_load.function, &lane->load, &trap); break;
      default: status = wasmtrap_run_call(run, nothing, NULL, &trap); break;
    }
    if (status == WASMTRAP_TRAPPED && trap.source == WASMTRAP_SOURCE_INTERRUPT) {
      lane->interrupted++;
      lane->foreign += trap.payload != run;
    } else if (i % 4 == 2) {
      lane->own_traps += status == WASMTRAP_TRAPPED && trap.code == WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS;
    }
    /* Interrupted still, but over. */
    lane->late += wasmtrap_call(nothing, NULL, &trap) != WASMTRAP_OK;
    __atomic_store_n(&lane->run, 0, __ATOMIC_SEQ_CST);
    lane->late += wasmtrap_call(nothing, NULL, &trap) != WASMTRAP_OK;
    must(wasmtrap_run_close(run) == WASMTRAP_OK);
  }
  return NULL;
}

static void *interrupt(void *unused) {
  while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
    for (int i = 0; i < THREADS; i++) {
      const wasmtrap_run_t run = __atomic_load_n(&lanes[i].run, __ATOMIC_SEQ_CST);
      if (run == 0) continue;
      const wasmtrap_status_t status = wasmtrap_interrupt(run, WASMTRAP_CODE_INTERRUPT, run);
      must(status == WASMTRAP_OK || status == WASMTRAP_ERR_NOT_FOUND || status == WASMTRAP_ERR_UNKNOWN_ID);
    }
    sched_yield();
  }
  return unused;
}

int main(void) {
  page = inaccessible_page();
  runs_init();
  host_register_code(&wasm_spin);
  host_register_code(&wasm_load);
  pthread_t threads[THREADS], interrupters[INTERRUPTERS];
  for (int i = 0; i < THREADS; i++) must(pthread_create(&threads[i], NULL, make_runs, &lanes[i]) == 0);
  for (int i = 0; i < INTERRUPTERS; i++) must(pthread_create(&interrupters[i], NULL, interrupt, NULL) == 0);
  for (int i = 0; i < THREADS; i++) must(pthread_join(threads[i], NULL) == 0);
  __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < INTERRUPTERS; i++) must(pthread_join(interrupters[i], NULL) == 0);
  for (int i = 0; i < THREADS; i++) {
    same(lanes[i].lost, 0, "thread %d: no guest that never ends has ended by itself", i);
    same(lanes[i].late, 0, "thread %d: no later call was interrupted", i);
    same(lanes[i].foreign, 0, "thread %d: each interrupt was the run's own", i);
    ok(lanes[i].interrupted >= RUNS / 4, "thread %d: %d runs were interrupted, ", i, lanes[i].interrupted);
    tap_note("traps of the guest's own: %d", lanes[i].own_traps);
  }
  return tap_done();
}
