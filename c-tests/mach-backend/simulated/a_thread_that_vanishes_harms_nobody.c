/* A thread is terminated while its exception is handled. The server's answer finds nobody; it goes on, and keeps no
 * right to answer. The thread library knows nothing of it: such a thread is not joined, or its successor would find
 * its thread-specific data. */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <simulated_mach.h>

#include "backend.h"
#include "cases.h"
#include "server_thread.h"
#include "thread_ports.h"

typedef struct victim_t {
  volatile mach_port_t port;
  volatile int faults;
} victim_t;

static void *fault(void *argument) {
  victim_t *const victim = argument;
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  victim->port = mach_thread_self();
  __atomic_store_n(&victim->faults, 1, __ATOMIC_RELEASE);
  wasmtrap_trap_t trap;
  load_what_must_not_be_touched(&trap);
  return NULL;
}

static uint64_t exceptions_sent(void) {
  simulated_exceptions_t exceptions;
  must(simulated_exceptions(&exceptions) == KERN_SUCCESS);
  return exceptions.thread_level;
}

enum { TIMES = 10 };

static void terminated_before_the_answer(void) {
  const mach_port_t server = init_and_find_server();
  task_rights_t rights;
  for (int i = 0; i < TIMES; i++) {
    victim_t victim;
    memset(&victim, 0, sizeof victim);
    must(thread_suspend(server) == KERN_SUCCESS);
    const uint64_t sent = exceptions_sent();
    pthread_t thread;
    must(pthread_create(&thread, NULL, fault, &victim) == 0);
    while (exceptions_sent() == sent) sched_yield();
    must(thread_terminate(victim.port) == KERN_SUCCESS);
    must(mach_port_deallocate(mach_task_self(), victim.port) == KERN_SUCCESS);
    must(thread_resume(server) == KERN_SUCCESS);
    traps_by_ports("a trap of another thread");
    /* The thread had no chance to put anything back. */
    if (i == 0) rights = task_rights_now();
  }
  const task_rights_t now = task_rights_now();
  same(now.dead_names, rights.dead_names, "no right to answer is left");
  same(now.send_once, rights.send_once, "neither dead nor alive");
  same(now.receive, rights.receive + TIMES - 1, "what is left is the port of each");
  must(mach_port_deallocate(mach_task_self(), server) == KERN_SUCCESS);
}

/* Shutdown takes the ports of those that have vanished, too. */
static void shut_down_after_it(void) {
  const task_rights_t before = task_rights_now();
  init_mach_ports(0);
  victim_t victim;
  memset(&victim, 0, sizeof victim);
  for (int i = 0; i < 3; i++) {
    pthread_t thread;
    victim.faults = 0;
    must(pthread_create(&thread, NULL, fault, &victim) == 0);
    must(pthread_join(thread, NULL) == 0);
    must(mach_port_deallocate(mach_task_self(), victim.port) == KERN_SUCCESS);
  }
  traps_by_ports("a trap of another thread");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "wasmtrap_shutdown");
  same_task_rights(&before, "nothing is left");
}

static void *attach_and_wait(void *argument) {
  victim_t *const victim = argument;
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  victim->port = mach_thread_self();
  __atomic_store_n(&victim->faults, 1, __ATOMIC_RELEASE);
  for (;;) sched_yield();
}

static void shut_down_after_a_termination(void) {
  const task_rights_t before = task_rights_now();
  init_mach_ports(0);
  victim_t victim;
  memset(&victim, 0, sizeof victim);
  pthread_t thread;
  must(pthread_create(&thread, NULL, attach_and_wait, &victim) == 0);
  while (!__atomic_load_n(&victim.faults, __ATOMIC_ACQUIRE)) sched_yield();
  must(thread_terminate(victim.port) == KERN_SUCCESS);
  must(mach_port_deallocate(mach_task_self(), victim.port) == KERN_SUCCESS);
  traps_by_ports("a trap of another thread");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "wasmtrap_shutdown");
  same_task_rights(&before, "nothing is left of the thread that was terminated");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"terminated before the answer", terminated_before_the_answer, 0},
      {"shutdown after threads have ended", shut_down_after_it, 0},
      {"shutdown after a thread was terminated", shut_down_after_a_termination, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
