/* A watchdog's handler on the alternate stack raises a signal of ours inside a protected call, to end the process: it
 * ends; as it does where the handler is one of a fault, but of another signal than the one that it raises, or where no
 * protected call is around. In the first process of a container, where the kernel ignores what is sent and not
 * handled, it is ignored, and traps go on. */
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

static void raise_another(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  raise(SIGSEGV);
  _exit(0);
}

static void fault_with_a_handler_that_raises(void *unused) {
  (void)unused;
  host_init_with_signals();
  install_handler(SIGILL, raise_another, SA_ONSTACK);
  wasmtrap_trap_t trap;
  host_call(&wasm_unreachable, NULL, &trap);
}

static struct sigaction librarys;

/* As CPython's faulthandler does, but the fault will not come again. */
static void mend_step_back_and_raise(int signal, siginfo_t *info, void *context) {
  (void)context;
  make_accessible(info->si_addr);
  must(sigaction(signal, &librarys, NULL) == 0);
  raise(signal);
}

static void fault_outside_of_a_call(void *unused) {
  (void)unused;
  host_init_with_signals();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  librarys = install_handler(SIGSEGV, mend_step_back_and_raise, SA_ONSTACK | SA_NODEFER);
  *(volatile int *)(uintptr_t)inaccessible_page() = 1;
  tap_note("the process goes on");
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
  child_dies_of(SIGSEGV, fault_with_a_handler_that_raises, NULL, "raised by a handler of another fault");
  child_dies_of(SIGSEGV, fault_outside_of_a_call, NULL, "raised by a handler of a fault outside of any call");
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
