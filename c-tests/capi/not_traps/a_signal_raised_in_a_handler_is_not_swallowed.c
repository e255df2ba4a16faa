/* A watchdog's handler on the alternate stack raises a signal of ours inside a protected call, to end the process: it
 * ends; as it does where the handler is one of a fault, but of another signal than the one that it raises, or where no
 * protected call is around, or where the signal was not raised by this thread, or not in a handler. In the first
 * process of a container, where the kernel ignores what is sent and not handled, it is ignored, and traps go on. */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

#if defined(__linux__)
#include <sched.h>
#include <sys/syscall.h>
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

/* Not raised: sent, by this process and by another one. */
static int by_another, ready[2];
static pid_t sender;

static void step_back_and_be_sent(int signal, siginfo_t *info, void *context) {
  (void)info;
  (void)context;
  must(sigaction(signal, &librarys, NULL) == 0);
  if (by_another) {
    must(write(ready[1], "x", 1) == 1);
    must(waitpid(sender, NULL, 0) == sender);
  } else {
    must(kill(getpid(), signal) == 0);
  }
  _exit(0);
}

static void send_to_parent(void) {
  char word;
  must(read(ready[0], &word, 1) == 1);
#if defined(__linux__)
  /* With the code that raise has. */
  must(syscall(SYS_tgkill, getppid(), getppid(), SIGSEGV) == 0);
#else
  must(kill(getppid(), SIGSEGV) == 0);
#endif
  _exit(0);
}

static void fault_with_a_handler_that_is_sent_a_signal(void *another) {
  by_another = another != NULL;
  must(pipe(ready) == 0);
  if (by_another) {
    sender = fork();
    must(sender >= 0);
    if (sender == 0) send_to_parent();
  }
  host_init_with_signals();
  librarys = install_handler(SIGSEGV, step_back_and_be_sent, SA_ONSTACK | SA_NODEFER);
  (void)library_traps();
}

/* The alternate stack has a frame of a trap that is over, and lies above the thread's own stack. */
static void raise_it(void *unused) {
  (void)unused;
  raise(SIGSEGV);
}

static void *trap_and_raise(void *alternate_stack) {
  stack_t stack = {0};
  stack.ss_sp = alternate_stack;
  stack.ss_size = 256 * 1024;
  must(sigaltstack(&stack, NULL) == 0);
  ok(library_traps(), "a trap is a trap");
  wasm_import_t import = {raise_it, NULL};
  wasmtrap_trap_t trap;
  (void)host_call(&wasm_call_import, &import, &trap);
  return NULL;
}

static void raise_after_a_trap(void *unused) {
  (void)unused;
  host_init_with_signals();
  host_register_code(&wasm_call_import);
  enum { STACK = 1024 * 1024 };
  unsigned char *const memory = mmap(NULL, 2 * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(memory != MAP_FAILED);
  pthread_attr_t attributes;
  pthread_t thread;
  must(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, memory, STACK) == 0);
  must(pthread_create(&thread, &attributes, trap_and_raise, memory + STACK) == 0);
  must(pthread_join(thread, NULL) == 0);
}

#if defined(__linux__)
/* Shared with the children: that one has come so far, and has not died of that signal before. */
static volatile int *lives_after_a_trap;

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
  *lives_after_a_trap = 1;
  *(volatile int *)(uintptr_t)inaccessible_page() = 1; /* and a crash is a crash */
}

/* The first child of who has left its space of process numbers is the first process of a new one. */
static void begin_a_container(void *flags) {
  must(unshare(CLONE_NEWPID) == 0);
  lives_after_a_trap = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  must(lives_after_a_trap != MAP_FAILED);
  child_dies_of(SIGSEGV, live_as_init, flags, "what is sent is ignored, what traps traps, what crashes dies");
  ok(*lives_after_a_trap, "and it was the crash that it died of");
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
  static int another;
  child_dies_of(SIGSEGV, fault_with_a_handler_that_is_sent_a_signal, NULL, "sent by the process in a handler");
  child_dies_of(SIGSEGV, fault_with_a_handler_that_is_sent_a_signal, &another, "sent by another process");
  child_dies_of(SIGSEGV, raise_after_a_trap, NULL, "raised on the thread's own stack, after a trap");
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
