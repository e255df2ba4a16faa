/* Somebody destroys the server's port set. The server makes a new one: threads that are attached go on trapping by
 * their ports, those that wait for an answer get it, and shutdown leaves nothing. */
#include <pthread.h>
#include <sched.h>

#include "backend.h"
#include "cases.h"
#include "host_rules.h"
#include "thread_ports.h"

/* The only one that the task has. */
static mach_port_t the_port_set(void) {
  mach_port_name_t *names = NULL;
  mach_port_type_t *types = NULL;
  mach_msg_type_number_t count = 0, type_count = 0;
  mach_port_t set = MACH_PORT_NULL;
  must(mach_port_names(mach_task_self(), &names, &count, &types, &type_count) == KERN_SUCCESS);
  for (mach_msg_type_number_t i = 0; i < count; i++) {
    if ((types[i] & MACH_PORT_TYPE_PORT_SET) != 0) set = names[i];
  }
  vm_deallocate(mach_task_self(), (vm_address_t)names, count * sizeof *names);
  vm_deallocate(mach_task_self(), (vm_address_t)types, type_count * sizeof *types);
  return set;
}

static void destroy_the_port_set(void) {
  const mach_port_t set = the_port_set();
  must(set != MACH_PORT_NULL);
  must(mach_port_mod_refs(mach_task_self(), set, MACH_PORT_RIGHT_PORT_SET, -1) == KERN_SUCCESS);
}

/* In a hardened process the server must be waiting when it happens: to receive from a name that is gone is fatal there,
 * as for anybody (kGUARD_EXC_RCV_INVALID_NAME). */
static void needs_an_ordinary_process(void) {
  if (process_is_hardened()) skip_case("what the host does here is fatal in a hardened process");
}

static void again_and_again(void) {
  needs_an_ordinary_process();
  const task_rights_t rights = task_rights_now();
  init_mach_ports(0);
  for (int i = 0; i < 20; i++) {
    traps_by_ports("a trap");
    destroy_the_port_set();
  }
  traps_by_ports("a trap after the last of twenty");
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  same_task_rights(&rights, "no right is left");
}

static volatile int attached;

static void *trap_often(void *unused) {
  (void)unused;
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  __atomic_add_fetch(&attached, 1, __ATOMIC_ACQ_REL);
  int trapped = 0;
  for (int i = 0; i < 300; i++) {
    wasmtrap_trap_t trap;
    trapped += load_what_must_not_be_touched(&trap) == WASMTRAP_TRAPPED && trap.exception == EXC_BAD_ACCESS;
  }
  same(trapped, 300, "each trap came by the port");
  return NULL;
}

static void while_threads_trap(void) {
  needs_an_ordinary_process();
  const task_rights_t rights = task_rights_now();
  init_mach_ports(0);
  pthread_t threads[4];
  traps_by_ports("a trap");
  for (int i = 0; i < 4; i++) must(pthread_create(&threads[i], NULL, trap_often, NULL) == 0);
  /* A thread that comes while there is no set gets no port. */
  while (__atomic_load_n(&attached, __ATOMIC_ACQUIRE) < 4) sched_yield();
  for (int i = 0; i < 30; i++) {
    destroy_the_port_set();
    traps_by_ports("a trap on this thread, after which there is a new set");
  }
  for (int i = 0; i < 4; i++) must(pthread_join(threads[i], NULL) == 0);
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  same_task_rights(&rights, "no right is left");
}

static void *attach_and_trap(void *unused) {
  (void)unused;
  traps_by_ports("a new thread traps by its port");
  return NULL;
}

static void new_threads_afterwards(void) {
  needs_an_ordinary_process();
  init_mach_ports(0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  for (int i = 0; i < 20; i++) {
    destroy_the_port_set();
    traps_by_ports("a trap, after which there is a new set");
    on_a_thread(attach_and_trap, NULL);
  }
}

static void shutdown_afterwards(void) {
  needs_an_ordinary_process();
  const task_rights_t rights = task_rights_now();
  for (int i = 0; i < 50; i++) {
    init_mach_ports(0);
    traps_by_ports("a trap");
    destroy_the_port_set();
    traps_by_ports("a trap, after which there is a new set");
    same(wasmtrap_shutdown(), WASMTRAP_OK, "wasmtrap_shutdown");
  }
  same_task_rights(&rights, "no right is left");
  init_mach_ports(0);
  traps_by_ports("and it can be set up again");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"twenty times", again_and_again, 0},
      {"while threads trap", while_threads_trap, 0},
      {"threads that come afterwards", new_threads_afterwards, 0},
      {"shutdown afterwards", shutdown_afterwards, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
