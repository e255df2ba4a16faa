/* As often as threads come, trap and go, are detached and attached, or the library is set up and shut down: there are
 * as many rights of each type afterwards as before. */
#include <pthread.h>

#include "backend.h"
#include "cases.h"
#include "thread_ports.h"

enum { LIFETIMES = 10000, LOOPS = 1000 };

static volatile int trapped;

static void *trap_once(void *unused) {
  (void)unused;
  wasmtrap_trap_t trap;
  if (load_what_must_not_be_touched(&trap) == WASMTRAP_TRAPPED && trap.exception == EXC_BAD_ACCESS) {
    __atomic_add_fetch(&trapped, 1, __ATOMIC_RELAXED);
  }
  return NULL;
}

static void note_rights(const char *when, const task_rights_t *rights) {
  tap_note("measured: rights %s %d thread lifetimes: %u receive, %u send (%u references), %u send-once, %u sets, "
           "%u dead",
           when, LIFETIMES, rights->receive, rights->send_names, rights->send_references, rights->send_once,
           rights->port_sets, rights->dead_names);
}

static void threads_come_and_go(void) {
  init_mach_ports(0);
  on_a_thread(trap_once, NULL);
  const task_rights_t before = task_rights_now();
  enum { TOGETHER = 10 };
  for (int i = 0; i < LIFETIMES / TOGETHER; i++) {
    pthread_t threads[TOGETHER];
    for (int k = 0; k < TOGETHER; k++) must(pthread_create(&threads[k], NULL, trap_once, NULL) == 0);
    for (int k = 0; k < TOGETHER; k++) must(pthread_join(threads[k], NULL) == 0);
  }
  same(trapped, LIFETIMES + 1, "each thread trapped by its port");
  const task_rights_t after = task_rights_now();
  same_task_rights(&before, "rights of each type are as they were");
  note_rights("before", &before);
  note_rights("after", &after);
}

static void detach_and_attach(void) {
  init_mach_ports(0);
  trap_once(NULL);
  const task_rights_t before = task_rights_now();
  for (int i = 0; i < LOOPS; i++) {
    must(wasmtrap_thread_detach() == WASMTRAP_OK);
    trap_once(NULL);
  }
  same(trapped, LOOPS + 1, "each time it trapped by its port");
  same_task_rights(&before, "rights of each type are as they were");
}

static void init_and_shutdown(void) {
  const task_rights_t before = task_rights_now();
  for (int i = 0; i < LOOPS; i++) {
    init_mach_ports(0);
    trap_once(NULL);
    must(wasmtrap_shutdown() == WASMTRAP_OK);
  }
  same(trapped, LOOPS, "each time it trapped by its port");
  same_task_rights(&before, "rights of each type are as they were");
}

/* A thread that stays attached over all of it. */
static void detach_after_shutdown(void) {
  const task_rights_t before = task_rights_now();
  for (int i = 0; i < LOOPS; i++) {
    init_mach_ports(0);
    trap_once(NULL);
    must(wasmtrap_shutdown() == WASMTRAP_OK);
    if (i % 3 == 0) must(wasmtrap_thread_detach() == WASMTRAP_OK);
  }
  same_task_rights(&before, "rights of each type are as they were");
}

/* Where Mach ports are refused by the options, nothing is made. */
static void signals_make_no_ports(void) {
  const task_rights_t before = task_rights_now();
  wasmtrap_options_t options = no_options();
  options.backend = WASMTRAP_BACKEND_SIGNALS;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  traps_by_signals("a trap");
  same_task_rights(&before, "no right came or went");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"ten thousand thread lifetimes", threads_come_and_go, 0},
      {"detach and attach", detach_and_attach, 0},
      {"init and shutdown", init_and_shutdown, 0},
      {"init and shutdown over a thread that stays", detach_after_shutdown, 0},
      {"signals make no ports", signals_make_no_ports, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
