/* wasmtrap_init from several threads at once sets up one server; so does a second call; all of it is gone after
 * as many calls of wasmtrap_shutdown, as often as it is repeated. */
#include <pthread.h>
#include <sched.h>

#include "backend.h"
#include "cases.h"
#include "thread_ports.h"

enum { THREADS = 4, TIMES = 100 };

/* They begin when all are there. */
static volatile int arrived;

static void *init(void *options) {
  __atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL);
  while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) % THREADS != 0) sched_yield();
  const wasmtrap_status_t status = wasmtrap_init(options);
  return (void *)(intptr_t)status;
}

static unsigned int port_sets(void) { return task_rights_now().port_sets; }

static void the_same_options(void) {
  /* The threads of the process have names for their control ports from now on. */
  const task_rights_t before = task_rights_now();
  for (int i = 0; i < TIMES; i++) {
    pthread_t threads[THREADS];
    int good = 0;
    for (int k = 0; k < THREADS; k++) must(pthread_create(&threads[k], NULL, init, NULL) == 0);
    for (int k = 0; k < THREADS; k++) {
      void *status = NULL;
      must(pthread_join(threads[k], &status) == 0);
      good += (intptr_t)status == WASMTRAP_OK;
    }
    same(good, THREADS, "all of them succeed");
    same(port_sets(), before.port_sets + 1, "there is one server");
    traps_by_ports("a trap");
    for (int k = 0; k < good; k++) must(wasmtrap_shutdown() == WASMTRAP_OK);
  }
  same_task_rights(&before, "no right is left");
}

static void different_options(void) {
  const task_rights_t before = task_rights_now();
  for (int i = 0; i < TIMES; i++) {
    wasmtrap_options_t options[THREADS];
    pthread_t threads[THREADS];
    int good = 0, conflicts = 0;
    for (int k = 0; k < THREADS; k++) {
      options[k] = no_options();
      options[k].fault_kinds = k % 2 == 0 ? WASMTRAP_FAULT_MEMORY : HOST_ALL_KINDS;
      must(pthread_create(&threads[k], NULL, init, &options[k]) == 0);
    }
    for (int k = 0; k < THREADS; k++) {
      void *status = NULL;
      must(pthread_join(threads[k], &status) == 0);
      good += (intptr_t)status == WASMTRAP_OK;
      conflicts += (intptr_t)status == WASMTRAP_ERR_CONFLICT;
    }
    ok(good == 2 && conflicts == 2, "those that agree succeed, the others are told of the conflict");
    same(port_sets(), before.port_sets + 1, "there is one server");
    traps_by_ports("a trap");
    for (int k = 0; k < good; k++) must(wasmtrap_shutdown() == WASMTRAP_OK);
  }
  same_task_rights(&before, "no right is left");
}

static void *init_and_shut_down(void *unused) {
  (void)unused;
  for (int i = 0; i < TIMES; i++) {
    must(wasmtrap_init(NULL) == WASMTRAP_OK);
    wasmtrap_shutdown();
  }
  return NULL;
}

static void against_shutdown(void) {
  const task_rights_t before = task_rights_now();
  pthread_t threads[THREADS];
  for (int k = 0; k < THREADS; k++) must(pthread_create(&threads[k], NULL, init_and_shut_down, NULL) == 0);
  for (int k = 0; k < THREADS; k++) must(pthread_join(threads[k], NULL) == 0);
  wasmtrap_shutdown();
  same_task_rights(&before, "no right is left");
  init_mach_ports(0);
  traps_by_ports("and a trap is a trap");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"with the same options", the_same_options, 0},
      {"with different options", different_options, 0},
      {"against wasmtrap_shutdown", against_shutdown, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
