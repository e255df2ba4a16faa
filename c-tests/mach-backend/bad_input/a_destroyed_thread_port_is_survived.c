/* Somebody destroys the exception port that the library gave to a thread. Its traps come as signals; detached and
 * attached again it has a port; other threads are as they were. */
#include <pthread.h>

#include "backend.h"
#include "cases.h"
#include "host_rules.h"
#include "thread_ports.h"

static void destroy_this_threads_port(void) {
  const mach_port_t port = exception_port_now(EXC_BAD_ACCESS);
  must(mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_RECEIVE, -1) == KERN_SUCCESS);
}

/* What the library has then is a dead name, whose misuse is fatal in a hardened process; as it is for the host that
 * does this to a name that is not its own. */
static void needs_an_ordinary_process(void) {
  if (process_is_hardened()) skip_case("what the host does here is fatal in a hardened process");
}

static void traps_go_on(void) {
  needs_an_ordinary_process();
  init_mach_ports(0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  destroy_this_threads_port();
  for (int i = 0; i < 20; i++) traps_by_signals("a trap");
  uint32_t displaced = 0;
  must(wasmtrap_check(&displaced) == WASMTRAP_OK);
  ok(displaced != 0, "wasmtrap_check tells");
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "it can be detached");
  traps_by_ports("and attached again, with a port");
}

static void *trap_beside(void *unused) {
  (void)unused;
  traps_by_ports("another thread");
  destroy_this_threads_port();
  traps_by_signals("that loses its port too");
  return NULL;
}

static void threads_end(void) {
  needs_an_ordinary_process();
  init_mach_ports(0);
  for (int i = 0; i < 20; i++) {
    on_a_thread(trap_beside, NULL);
    traps_by_ports("this thread is as it was");
  }
}

static void shut_down(void) {
  needs_an_ordinary_process();
  init_mach_ports(0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  destroy_this_threads_port();
  same(wasmtrap_shutdown(), WASMTRAP_OK, "wasmtrap_shutdown");
  const thread_ports_t now = thread_ports_now();
  ok(now.ports[EXC_BAD_ACCESS] == MACH_PORT_NULL || now.ports[EXC_BAD_ACCESS] == MACH_PORT_DEAD,
     "nobody takes the thread's exceptions");
  init_mach_ports(0);
  traps_by_ports("set up again, it traps");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"traps go on", traps_go_on, 0},
      {"threads end without a port", threads_end, 0},
      {"shutdown", shut_down, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
