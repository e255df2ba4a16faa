/* After wasmtrap_shutdown the disposition of each signal is what it was before wasmtrap_init: handler, flags, mask. */
#include <signal.h>
#include <string.h>

#include "handlers.h"
#include "host.h"

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
enum { SIGNALS = sizeof signals / sizeof *signals };

static volatile int calls;

static void one_argument(int signal) {
  (void)signal;
  calls++;
}

static void three_arguments(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  calls++;
}

static void set_and_restore(const char *name) {
  struct sigaction before[SIGNALS];
  for (int i = 0; i < SIGNALS; i++) before[i] = disposition_of(signals[i]);
  host_init_with_kinds(HOST_ALL_KINDS);
  for (int i = 0; i < SIGNALS; i++) {
    const struct sigaction ours = disposition_of(signals[i]);
    ok(!same_disposition(&before[i], &ours), "%s is the library's", strsignal(signals[i]));
  }
  ok(library_traps(), "traps are traps");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "%s: shutdown", name);
  for (int i = 0; i < SIGNALS; i++) {
    const struct sigaction after = disposition_of(signals[i]);
    ok(same_disposition(&before[i], &after), "%s is as it was", strsignal(signals[i]));
  }
}

int main(void) {
  set_and_restore("SIG_DFL");

  static const int flags[] = {SA_SIGINFO | SA_NODEFER, SA_SIGINFO | SA_ONSTACK | (int)SA_RESETHAND, SA_RESTART,
                              SA_SIGINFO, SA_ONSTACK | SA_RESTART | SA_NODEFER};
  for (int i = 0; i < SIGNALS; i++) {
    struct sigaction action = {0};
    action.sa_flags = flags[i];
    if (flags[i] & SA_SIGINFO) {
      action.sa_sigaction = three_arguments;
    } else {
      action.sa_handler = one_argument;
    }
    sigaddset(&action.sa_mask, SIGUSR1);
    sigaddset(&action.sa_mask, signals[(i + 1) % SIGNALS]);
    must(sigaction(signals[i], &action, NULL) == 0);
  }
  set_and_restore("handlers of the host's");
  set_and_restore("the same, a second time");
  raise(SIGILL);
  raise(SIGFPE);
  same(calls, 2, "they are in use");

  for (int i = 0; i < SIGNALS; i++) must(signal(signals[i], SIG_IGN) != SIG_ERR);
  set_and_restore("SIG_IGN");
  return tap_done();
}
