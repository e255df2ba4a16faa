/* Bursts and stop signals find our handlers by chance; this looks at what keeps them out. The kernel has a disposition
 * of ours for every signal of the kinds taken that blocks all signals, its own included, and runs on the alternate
 * stack: whatever the host's handler that was there before had asked for, and after rearming over another. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

#if defined(__linux__)
#include <sys/syscall.h>

/* As the kernel has it (struct sigaction, include/linux/signal_types.h). */
typedef struct kernel_action_t {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)(void);
  uint64_t mask;
} kernel_action_t;

static kernel_action_t what_the_kernel_has(int signal) {
  kernel_action_t action;
  must(syscall(SYS_rt_sigaction, signal, NULL, &action, sizeof action.mask) == 0);
  return action;
}

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
enum { SIGNALS = sizeof signals / sizeof *signals };

static void look(const char *when) {
  /* SIGKILL and SIGSTOP cannot be blocked, and the kernel takes them out. */
  const uint64_t all = ~(UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1));
  for (int i = 0; i < SIGNALS; i++) {
    const kernel_action_t action = what_the_kernel_has(signals[i]);
    same(action.mask & all, all, "%s, signal %d finds all signals blocked", when, signals[i]);
    ok((action.flags & SA_ONSTACK) != 0 && (action.flags & SA_SIGINFO) != 0, "and the alternate stack");
    same(action.flags & (unsigned)(SA_NODEFER | SA_RESETHAND), 0, "and neither SA_NODEFER nor SA_RESETHAND");
  }
}

static void do_nothing(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
}

static void install_everywhere(int flags) {
  for (int i = 0; i < SIGNALS; i++) install_handler(signals[i], do_nothing, flags);
}

static void over_nothing(void *unused) {
  (void)unused;
  host_init_with_kinds(HOST_ALL_KINDS);
  look("over the default action");
}

static void over_a_host(void *flags) {
  install_everywhere(*(const int *)flags);
  host_init_with_kinds(HOST_ALL_KINDS);
  look("over a handler");
  install_everywhere(*(const int *)flags);
  same(wasmtrap_rearm(), WASMTRAP_OK, "rearmed over another one");
  look("after rearming");
}

int main(void) {
  static int plain = 0, open = SA_NODEFER | SA_RESTART, once = SA_RESETHAND | SA_ONSTACK;
  child_passes(over_nothing, NULL, "over the default action");
  child_passes(over_a_host, &plain, "over a handler without flags");
  child_passes(over_a_host, &open, "over a handler that nothing is blocked for");
  child_passes(over_a_host, &once, "over a handler for one signal");
  return tap_done();
}

#else

int main(void) { return tap_skip_all("this looks at Linux's own structure"); }

#endif
