/* Detaching, the thread's end and wasmtrap_shutdown each put back exactly the exception ports that the thread had, and
 * what somebody has put on top of the library's since stays. No right is left. */
#include <pthread.h>
#include <sched.h>

#include "backend.h"
#include "cases.h"
#include "faults.h"
#include "host_rules.h"
#include "thread_ports.h"

/* How the library leaves the thread. */
typedef enum leaving_t { BY_DETACH, BY_SHUTDOWN } leaving_t;

static void *shut_down(void *unused) {
  (void)unused;
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  return NULL;
}

static void leave(leaving_t how) {
  if (how == BY_DETACH) {
    same(wasmtrap_thread_detach(), WASMTRAP_OK, "wasmtrap_thread_detach");
  } else {
    on_a_thread(shut_down, NULL);
  }
}

static mach_port_t new_engine_port(void) {
  mach_port_t port = MACH_PORT_NULL;
  must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port) == KERN_SUCCESS);
  must(mach_port_insert_right(mach_task_self(), port, port, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);
  return port;
}

static int flavor_for(unsigned int behavior) {
  return (behavior & ~(unsigned int)MACH_EXCEPTION_MASK) == EXCEPTION_IDENTITY_PROTECTED ? 0 : STATE_FLAVOR;
}

static void set_port(exception_mask_t mask, mach_port_t port, int behavior) {
  const int flavor = flavor_for((unsigned)behavior);
  must(thread_set_exception_ports(pthread_mach_thread_np(pthread_self()), mask, port,
                                  (int)((unsigned)behavior | MACH_EXCEPTION_CODES), flavor) == KERN_SUCCESS);
}

/* One that is harmless as well. macOS 11 does not know it, and has no rule about the others. */
static int another_behavior(void) {
  const int wanted = (int)(EXCEPTION_IDENTITY_PROTECTED | MACH_EXCEPTION_CODES);
  return kernel_knows_behavior(wanted) ? EXCEPTION_IDENTITY_PROTECTED : EXCEPTION_STATE_IDENTITY;
}

/* What the thread has before the library comes. */
typedef enum earlier_t { NOTHING, ONE_PORT, A_PORT_FOR_EACH, SOME } earlier_t;

static void set_up(earlier_t earlier) {
  switch (earlier) {
    case NOTHING:
      break;
    case ONE_PORT:
      set_port(ALL_EXCEPTIONS, new_engine_port(), (int)harmless_behavior());
      break;
    case A_PORT_FOR_EACH:
      set_port(EXC_MASK_BAD_ACCESS, new_engine_port(), (int)harmless_behavior());
      set_port(EXC_MASK_BAD_INSTRUCTION, new_engine_port(), another_behavior());
      set_port(EXC_MASK_ARITHMETIC, new_engine_port(), (int)harmless_behavior());
      set_port(EXC_MASK_BREAKPOINT, new_engine_port(), another_behavior());
      break;
    case SOME:
      set_port(EXC_MASK_BAD_INSTRUCTION | EXC_MASK_BREAKPOINT, new_engine_port(), (int)harmless_behavior());
      break;
  }
}

static void restores(earlier_t earlier, leaving_t how) {
  set_up(earlier);
  const thread_ports_t before = thread_ports_now();
  /* The thread that shuts down is the second one of the process. */
  const task_rights_t rights = task_rights_now();
  init_mach_ports(HOST_ALL_KINDS);
  traps_by_ports("a trap");
  const thread_ports_t during = thread_ports_now();
  for (int exception = EXC_BAD_ACCESS; exception <= EXC_BREAKPOINT; exception++) {
    if ((ALL_EXCEPTIONS & (1 << exception)) == 0) continue;
    ok(during.ports[exception] != before.ports[exception], "the library's port is in place for exception %d",
       exception);
    same(during.behaviors[exception], (int)(EXCEPTION_STATE | MACH_EXCEPTION_CODES), "with the harmless behavior");
  }
  leave(how);
  thread_ports_t after = thread_ports_now();
  same_thread_ports(&after, &before, "afterwards all is as it was");
  if (how == BY_DETACH) {
    traps_by_ports("attached again, it traps");
    leave(BY_DETACH);
    after = thread_ports_now();
    same_thread_ports(&after, &before, "and once more all is as it was");
    must(wasmtrap_shutdown() == WASMTRAP_OK);
  }
  same_task_rights(&rights, "no right is left");
}

static void nothing_detach(void) { restores(NOTHING, BY_DETACH); }
static void nothing_shutdown(void) { restores(NOTHING, BY_SHUTDOWN); }
static void one_port_detach(void) { restores(ONE_PORT, BY_DETACH); }
static void one_port_shutdown(void) { restores(ONE_PORT, BY_SHUTDOWN); }
static void each_detach(void) { restores(A_PORT_FOR_EACH, BY_DETACH); }
static void each_shutdown(void) { restores(A_PORT_FOR_EACH, BY_SHUTDOWN); }
static void some_detach(void) { restores(SOME, BY_DETACH); }
static void some_shutdown(void) { restores(SOME, BY_SHUTDOWN); }

/* Many threads, each with a port of its own before, when another one shuts the library down. */
enum { HOLDERS = 8 };
static volatile int attached, shut;

static void *hold(void *unused) {
  (void)unused;
  set_up(A_PORT_FOR_EACH);
  const thread_ports_t before = thread_ports_now();
  traps_by_ports("a trap");
  __atomic_add_fetch(&attached, 1, __ATOMIC_ACQ_REL);
  while (!__atomic_load_n(&shut, __ATOMIC_ACQUIRE)) sched_yield();
  const thread_ports_t after = thread_ports_now();
  same_thread_ports(&after, &before, "a thread that did nothing has what it had");
  return NULL;
}

static void many_threads_at_shutdown(void) {
  init_mach_ports(HOST_ALL_KINDS);
  pthread_t threads[HOLDERS];
  for (int i = 0; i < HOLDERS; i++) must(pthread_create(&threads[i], NULL, hold, NULL) == 0);
  while (__atomic_load_n(&attached, __ATOMIC_ACQUIRE) < HOLDERS) sched_yield();
  const task_rights_t rights = task_rights_now();
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  const task_rights_t now = task_rights_now();
  same(now.receive, rights.receive - HOLDERS - 1, "the ports of all threads and of the server are gone");
  same(now.port_sets, rights.port_sets - 1, "and the server's port set");
  same(now.dead_names, rights.dead_names, "no dead name is left");
  __atomic_store_n(&shut, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < HOLDERS; i++) must(pthread_join(threads[i], NULL) == 0);
}

/* Somebody comes after the library, for all of its exceptions or for some. */
static void newer_stays(earlier_t earlier, exception_mask_t mask, leaving_t how) {
  set_up(earlier);
  const thread_ports_t before = thread_ports_now();
  init_mach_ports(HOST_ALL_KINDS);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  const mach_port_t newer = new_engine_port();
  const task_rights_t rights = task_rights_now();
  set_port(mask, newer, (int)harmless_behavior());
  leave(how);
  thread_ports_t expected = before;
  for (int exception = 0; exception < EXC_TYPES_COUNT; exception++) {
    if ((mask & (1u << exception)) == 0) continue;
    expected.ports[exception] = newer;
    expected.behaviors[exception] = (int)harmless_behavior();
    expected.flavors[exception] = flavor_for(harmless_behavior());
  }
  const thread_ports_t after = thread_ports_now();
  same_thread_ports(&after, &expected, "the newer port stays, the rest is as before the library");
  const task_rights_t now = task_rights_now();
  same(now.receive, rights.receive - (how == BY_DETACH ? 1 : 2), "the library's receive rights are gone");
  same(now.dead_names, rights.dead_names, "no dead name is left");
}

static void newer_over_nothing(void) { newer_stays(NOTHING, ALL_EXCEPTIONS, BY_DETACH); }
static void newer_over_nothing_shutdown(void) { newer_stays(NOTHING, ALL_EXCEPTIONS, BY_SHUTDOWN); }
static void newer_over_another(void) { newer_stays(A_PORT_FOR_EACH, ALL_EXCEPTIONS, BY_DETACH); }
static void newer_for_one_kind(void) { newer_stays(A_PORT_FOR_EACH, EXC_MASK_BREAKPOINT, BY_DETACH); }
static void newer_for_one_kind_shutdown(void) { newer_stays(ONE_PORT, EXC_MASK_BAD_ACCESS, BY_SHUTDOWN); }

/* The thread's end: only its control port, which another thread keeps, can tell what it had. What is looked at is the
 * rights: those of the thread's own engine stay, the library's go. */
static void *trap_once(void *earlier) {
  set_up(*(const earlier_t *)earlier);
  traps_by_ports("on a thread that ends attached");
  return NULL;
}

static void thread_ends(void) {
  init_mach_ports(HOST_ALL_KINDS);
  static earlier_t earlier = NOTHING;
  on_a_thread(trap_once, &earlier);
  const task_rights_t rights = task_rights_now();
  on_a_thread(trap_once, &earlier);
  same_task_rights(&rights, "a thread that had nothing leaves nothing");
  earlier = A_PORT_FOR_EACH;
  on_a_thread(trap_once, &earlier);
  const task_rights_t now = task_rights_now();
  same(now.receive, rights.receive + 4, "of one with four ports of an engine, those stay");
  same(now.send_references, rights.send_references + 4, "with the engine's send rights, and no other");
  same(now.dead_names, rights.dead_names, "no dead name");
}

/* The control port of a dead engine: what is put back is nobody. */
static void the_earlier_owner_has_gone(void) {
  const mach_port_t port = new_engine_port();
  set_port(ALL_EXCEPTIONS, port, (int)harmless_behavior());
  init_mach_ports(HOST_ALL_KINDS);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(mach_port_deallocate(mach_task_self(), port) == KERN_SUCCESS);
  must(mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_RECEIVE, -1) == KERN_SUCCESS);
  traps_by_ports("a trap above a dead owner");
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  const task_rights_t rights = task_rights_now();
  same(rights.dead_names, 0, "no dead name is left");
  traps_by_ports("another one");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "shutdown");
  same(task_rights_now().dead_names, 0, "nor now");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"a thread without ports, detached", nothing_detach, 0},
      {"a thread without ports, shut down by another thread", nothing_shutdown, 0},
      {"another's port, detached", one_port_detach, 0},
      {"another's port, shut down by another thread", one_port_shutdown, 0},
      {"a port for each exception, detached", each_detach, 0},
      {"a port for each exception, shut down by another thread", each_shutdown, 0},
      {"ports for some exceptions, detached", some_detach, 0},
      {"ports for some exceptions, shut down by another thread", some_shutdown, 0},
      {"many threads when another one shuts down", many_threads_at_shutdown, 0},
      {"a newer port over nothing stays at detach", newer_over_nothing, 0},
      {"a newer port over nothing stays at shutdown", newer_over_nothing_shutdown, 0},
      {"a newer port over another's stays", newer_over_another, 0},
      {"a newer port for one exception stays, the others are put back", newer_for_one_kind, 0},
      {"the same by shutdown", newer_for_one_kind_shutdown, 0},
      {"the thread's end", thread_ends, 0},
      {"the earlier owner's port has died meanwhile", the_earlier_owner_has_gone, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
