/* A thread is terminated while its exception is handled. The server's answer finds nobody; it goes on, and keeps no right
 * to answer. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "cases.h"
#include "host_rules.h"
#include "thread_ports.h"

/* The threads of the task, with a right each. */
typedef struct threads_t {
  thread_act_array_t ports;
  mach_msg_type_number_t count;
} threads_t;

static threads_t threads_now(void) {
  threads_t threads;
  must(task_threads(mach_task_self(), &threads.ports, &threads.count) == KERN_SUCCESS);
  return threads;
}

static void free_threads(const threads_t *threads) {
  for (mach_msg_type_number_t i = 0; i < threads->count; i++) {
    must(mach_port_deallocate(mach_task_self(), threads->ports[i]) == KERN_SUCCESS);
  }
  vm_deallocate(mach_task_self(), (vm_address_t)threads->ports, threads->count * sizeof *threads->ports);
}

/* The thread that wasmtrap_init started, with a right of the caller's. */
static mach_port_t init_and_find_server(void) {
  const threads_t before = threads_now();
  init_mach_ports(0);
  const threads_t after = threads_now();
  mach_port_t server = MACH_PORT_NULL;
  for (mach_msg_type_number_t i = 0; i < after.count; i++) {
    int known = 0;
    for (mach_msg_type_number_t k = 0; k < before.count; k++) known |= before.ports[k] == after.ports[i];
    if (!known) server = after.ports[i];
  }
  must(server != MACH_PORT_NULL);
  must(mach_port_mod_refs(mach_task_self(), server, MACH_PORT_RIGHT_SEND, 1) == KERN_SUCCESS);
  free_threads(&before);
  free_threads(&after);
  return server;
}

typedef struct victim_t {
  volatile mach_port_t port;
  volatile mach_port_t exception_port;
  volatile int faults;
} victim_t;

static void *fault(void *argument) {
  victim_t *const victim = argument;
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  victim->exception_port = exception_port_now(EXC_BAD_ACCESS);
  victim->port = mach_thread_self();
  __atomic_store_n(&victim->faults, 1, __ATOMIC_RELEASE);
  wasmtrap_trap_t trap;
  load_what_must_not_be_touched(&trap);
  return NULL;
}

/* Whether a message waits at a port of ours. */
static int message_waits(mach_port_t port) {
  mach_port_status_t status;
  mach_msg_type_number_t count = MACH_PORT_RECEIVE_STATUS_COUNT;
  must(mach_port_get_attributes(mach_task_self(), port, MACH_PORT_RECEIVE_STATUS, (mach_port_info_t)&status, &count) ==
       KERN_SUCCESS);
  return status.mps_msgcount > 0;
}

enum { TIMES = 10 };

static void terminated_before_the_answer(void) {
  const mach_port_t server = init_and_find_server();
  traps_by_ports("a trap");
  task_rights_t rights;
  for (int i = 0; i < TIMES; i++) {
    victim_t victim;
    memset(&victim, 0, sizeof victim);
    must(thread_suspend(server) == KERN_SUCCESS);
    pthread_t thread;
    must(pthread_create(&thread, NULL, fault, &victim) == 0);
    while (!__atomic_load_n(&victim.faults, __ATOMIC_ACQUIRE) || !message_waits(victim.exception_port)) sched_yield();
    must(thread_terminate(victim.port) == KERN_SUCCESS);
    must(mach_port_deallocate(mach_task_self(), victim.port) == KERN_SUCCESS);
    must(pthread_join(thread, NULL) == 0);
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
  must(pthread_join(thread, NULL) == 0);
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
