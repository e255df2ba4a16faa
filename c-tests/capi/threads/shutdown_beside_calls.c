/* The end of a process: workers run WebAssembly that traps until wasmtrap_call says WASMTRAP_ERR_NOT_INITIALIZED, while
 * the main thread shuts down until that is not refused. No call runs, and no trap happens, with no library around it;
 * and a refused shutdown tells no worker that the library is gone. */
#include <pthread.h>
#include <unistd.h>

#include "host.h"
#include "meeting.h"
#include "process.h"

enum { PROCESSES = 60, MOST_WORKERS = 4 };

static void *page;

static void *work(void *unused) {
  (void)unused;
  wasmtrap_trap_t trap;
  wasmtrap_status_t status;
  do {
    status = host_load(&wasm_load, page, &trap);
  } while (status == WASMTRAP_TRAPPED);
  return (void *)(intptr_t)status;
}

static void run(void *argument) {
  const int round = *(const int *)argument;
  host_init();
  host_register_code(&wasm_load);
  page = inaccessible_page();
  pthread_t threads[MOST_WORKERS];
  const int workers = 1 + round % MOST_WORKERS;
  for (int i = 0; i < workers; i++) must(pthread_create(&threads[i], NULL, work, NULL) == 0);
  usleep(200 + 37 * (useconds_t)round);
  wasmtrap_status_t status;
  do {
    status = wasmtrap_shutdown();
  } while (status == WASMTRAP_ERR_BUSY);
  same(status, WASMTRAP_OK, "the shutdown that is not refused");
  for (int i = 0; i < workers; i++) {
    void *result = NULL;
    must(pthread_join(threads[i], &result) == 0);
    same((intptr_t)result, WASMTRAP_ERR_NOT_INITIALIZED, "what the worker is told in the end");
  }
}

static void *stay_inside(void *met) {
  meet(met);
  meet(met);
  return NULL;
}

static void call_that_stays(void *met) { (void)stay_inside(met); }

static void *inside(void *met) {
  must(wasmtrap_call(call_that_stays, met, NULL) == WASMTRAP_OK);
  return NULL;
}

static volatile int stop, told_wrong;

static void nothing(void *unused) { (void)unused; }

static void *call_all_the_time(void *unused) {
  while (!stop) {
    if (wasmtrap_call(nothing, NULL, NULL) != WASMTRAP_OK) told_wrong = 1;
  }
  return unused;
}

static void refusals(void *unused) {
  (void)unused;
  host_init();
  static meeting_t met = MEETING_OF(2);
  pthread_t thread, other;
  must(pthread_create(&thread, NULL, inside, &met) == 0);
  meet(&met);
  must(pthread_create(&other, NULL, call_all_the_time, NULL) == 0);
  for (int i = 0; i < 50; i++) must(wasmtrap_shutdown() == WASMTRAP_ERR_BUSY);
  stop = 1;
  must(pthread_join(other, NULL) == 0);
  ok(!told_wrong, "refused shutdowns disturb no other thread's calls");
  meet(&met);
  must(pthread_join(thread, NULL) == 0);
  same(wasmtrap_shutdown(), WASMTRAP_OK, "with nobody inside");
}

int main(void) {
  static int round;
  for (round = 0; round < PROCESSES; round++) child_passes(run, &round, "a process that ends beside calls");
  child_passes(refusals, NULL, "a shutdown that is refused");
  return tap_done();
}
