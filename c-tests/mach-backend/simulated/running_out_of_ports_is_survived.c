/* The kernel has no more ports for this task. A set-up without ports is one with signals, or an error that says so; a
 * thread without one goes on with signals, or is refused; nothing is lost on the way. For the profile ports-run-out. */
#include <pthread.h>
#include <stdlib.h>

#include "backend.h"
#include "cases.h"
#include "thread_ports.h"

/* Uses ports up until only `left` can be had. A task gets as many as this in its life. */
enum { PORTS_IN_A_LIFE = 64 };

static void use_up_but(int left) {
  for (int i = 0; i < PORTS_IN_A_LIFE - left; i++) {
    mach_port_t port = MACH_PORT_NULL;
    must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port) == KERN_SUCCESS);
    must(mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_RECEIVE, -1) == KERN_SUCCESS);
  }
}

/* What trying out, the port set and the control port need. */
enum { PORTS_FOR_INIT = 3 };

static wasmtrap_options_t ports_only(uint32_t flags) {
  wasmtrap_options_t options = no_options();
  options.backend = WASMTRAP_BACKEND_MACH_PORTS;
  options.flags = flags;
  return options;
}

/* ---- wasmtrap_init ---- */

static int left_for_init;

static void init_falls_back(void) {
  use_up_but(left_for_init);
  const thread_ports_t ports = thread_ports_now();
  const task_rights_t rights = task_rights_now();
  same(wasmtrap_init(NULL), WASMTRAP_OK, "wasmtrap_init");
  wasmtrap_backend_t backend = 0;
  must(wasmtrap_backend(&backend) == WASMTRAP_OK);
  same(backend, WASMTRAP_BACKEND_SIGNALS, "takes signals");
  char *const text = described();
  contains(text, "returned 0x", "the description names the call and its answer");
  free(text);
  traps_by_signals("a trap");
  const thread_ports_t now = thread_ports_now();
  same_thread_ports(&now, &ports, "no exception port was left behind");
  same_task_rights(&rights, "no right either");
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  same_task_rights(&rights, "nor after shutdown");
}

static void init_refuses(void) {
  use_up_but(left_for_init);
  const task_rights_t rights = task_rights_now();
  const wasmtrap_options_t options = ports_only(0);
  same(wasmtrap_init(&options), WASMTRAP_ERR_UNSUPPORTED, "wasmtrap_init refuses");
  contains(wasmtrap_last_error(), "returned 0x", "the error names the call and its answer");
  same_task_rights(&rights, "no right is left");
  const wasmtrap_options_t fallback = ports_only(WASMTRAP_INIT_ALLOW_FALLBACK);
  same(wasmtrap_init(&fallback), WASMTRAP_OK, "with fallback it succeeds");
  traps_by_signals("a trap");
  same_task_rights(&rights, "no right is left");
}

static void init_with(int left, void (*function)(void)) {
  left_for_init = left;
  function();
}

static void none_falls_back(void) { init_with(0, init_falls_back); }
static void one_falls_back(void) { init_with(1, init_falls_back); }
static void two_fall_back(void) { init_with(2, init_falls_back); }
static void none_refuses(void) { init_with(0, init_refuses); }
static void one_refuses(void) { init_with(1, init_refuses); }
static void two_refuse(void) { init_with(2, init_refuses); }

/* ---- Threads ---- */

static void *trap_by_a_signal(void *unused) {
  (void)unused;
  traps_by_signals("a thread without a port traps by signals");
  uint32_t displaced = 1;
  must(wasmtrap_check(&displaced) == WASMTRAP_OK);
  same(displaced, 0, "where its handlers are in place");
  char *const text = described();
  contains(text, "this thread: no exception port, signals only", "the description says so");
  contains(text, "a thread got no port and went on with signals", "and why");
  free(text);
  return NULL;
}

static void *trap_by_a_port(void *unused) {
  (void)unused;
  traps_by_ports("a thread with a port traps by it");
  return NULL;
}

static void threads_go_on_with_signals(void) {
  use_up_but(PORTS_FOR_INIT + 2);
  init_mach_ports(0);
  on_a_thread(trap_by_a_port, NULL);
  traps_by_ports("this thread has the last one");
  const task_rights_t rights = task_rights_now();
  for (int i = 0; i < 100; i++) on_a_thread(trap_by_a_signal, NULL);
  traps_by_ports("this thread keeps its port");
  same_task_rights(&rights, "attaching without success leaves no right");
}

static void *is_refused(void *unused) {
  (void)unused;
  same(wasmtrap_thread_attach(), WASMTRAP_ERR_SYSTEM, "wasmtrap_thread_attach refuses");
  contains(wasmtrap_last_error(), "the thread cannot get an exception port", "and says what");
  contains(wasmtrap_last_error(), "returned 0x", "and why");
  wasmtrap_trap_t trap = host_new_trap();
  same(load_what_must_not_be_touched(&trap), WASMTRAP_ERR_SYSTEM, "so does wasmtrap_call, which runs nothing");
  return NULL;
}

static void threads_are_refused(uint32_t flags) {
  use_up_but(PORTS_FOR_INIT + 1);
  const wasmtrap_options_t options = ports_only(flags);
  init_mach_ports_with(&options);
  traps_by_ports("this thread has the last one");
  const task_rights_t rights = task_rights_now();
  for (int i = 0; i < 100; i++) on_a_thread(is_refused, NULL);
  traps_by_ports("this thread keeps its port");
  same_task_rights(&rights, "attaching without success leaves no right");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "and the library can be shut down");
}

static void without_fallback(void) { threads_are_refused(0); }
static void where_the_host_owns_the_signals(void) {
  threads_are_refused(WASMTRAP_INIT_ALLOW_FALLBACK | WASMTRAP_INIT_HOST_OWNS_SIGNALS);
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"AUTO with no port left takes signals", none_falls_back, 0},
      {"AUTO with one port left takes signals", one_falls_back, 0},
      {"AUTO with two ports left takes signals", two_fall_back, 0},
      {"MACH_PORTS with no port left is refused", none_refuses, 0},
      {"MACH_PORTS with one port left is refused", one_refuses, 0},
      {"MACH_PORTS with two ports left is refused", two_refuse, 0},
      {"threads without a port go on with signals", threads_go_on_with_signals, 0},
      {"threads without a port are refused where nothing else was allowed", without_fallback, 0},
      {"and where the host owns the signals", where_the_host_owns_the_signals, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
