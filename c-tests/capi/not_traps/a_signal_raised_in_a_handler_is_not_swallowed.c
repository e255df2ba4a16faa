/* A watchdog's handler on the alternate stack raises a signal of ours inside a protected call, to end the process: it
 * ends. In the first process of a container, where the kernel ignores what is sent and not handled, it is ignored, and
 * traps go on. */
#include <signal.h>
#include <unistd.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

#if defined(__linux__)
#include <sched.h>
#endif

static void bark(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  raise(SIGSEGV);
}

static void wake_the_dog(void *unused) {
  (void)unused;
  raise(SIGUSR1);
}

static void call_with_a_watchdog(void *flags) {
  install_handler(SIGUSR1, bark, *(const int *)flags);
  host_init();
  host_register_code(&wasm_call_import);
  wasm_import_t import = {wake_the_dog, NULL};
  wasmtrap_trap_t trap;
  const wasmtrap_status_t status = host_call(&wasm_call_import, &import, &trap);
  same(status, -1, "the process goes on");
}

#if defined(__linux__)
static void live_as_init(void *flags) {
  must(getpid() == 1);
  install_handler(SIGUSR1, bark, *(const int *)flags);
  host_init();
  host_register_code(&wasm_call_import);
  wasm_import_t import = {wake_the_dog, NULL};
  wasmtrap_trap_t trap;
  same(host_call(&wasm_call_import, &import, &trap), WASMTRAP_OK, "what is sent is ignored");
  raise(SIGFPE);
  must(kill(getpid(), SIGSEGV) == 0);
  ok(library_traps(), "and a trap is a trap");
  *(volatile int *)(uintptr_t)inaccessible_page() = 1; /* and a crash is a crash */
}

/* The first child of who has left its space of process numbers is the first process of a new one. */
static void begin_a_container(void *flags) {
  must(unshare(CLONE_NEWPID) == 0);
  child_dies_of(SIGSEGV, live_as_init, flags, "what is sent is ignored, what traps traps, what crashes dies");
}

static int may_begin_containers(void) {
  const pid_t child = fork();
  must(child >= 0);
  if (child == 0) _exit(unshare(CLONE_NEWPID) != 0);
  return child_wait(child) == 0;
}
#endif

int main(void) {
  static int on_stack = SA_ONSTACK, plain = 0;
  child_dies_of(SIGSEGV, call_with_a_watchdog, &on_stack, "raised on the alternate stack");
  child_dies_of(SIGSEGV, call_with_a_watchdog, &plain, "raised on the thread's own stack");
#if defined(__linux__)
  if (exception_ports() != NO_MACH) {
    /* And a tracer, of which the simulated kernel is one, has the first process see what Linux ignores otherwise. */
    tap_skip("a system with Mach has no containers", "the first process of a container");
  } else if (may_begin_containers()) {
    child_passes(begin_a_container, &on_stack, "the first process of a container, on the alternate stack");
    child_passes(begin_a_container, &plain, "the first process of a container, on the thread's own stack");
  } else {
    tap_skip("this user may not begin a space of process numbers", "the first process of a container");
  }
#endif
  return tap_done();
}
