#include "interposer.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { SIGNALS = 65 };
static struct sigaction kept[SIGNALS], given[SIGNALS];
static volatile sig_atomic_t started[SIGNALS];
static machine_t machine;
static int refused;

typedef int (*sigaction_t)(int signal, const struct sigaction *action, struct sigaction *old);

static int next_sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
  static sigaction_t next;
  if (next == NULL) {
    void *const found = dlsym(RTLD_NEXT, "sigaction");
    memcpy(&next, &found, sizeof next);
  }
  return next(signal, action, old);
}

int sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
  if (signal < 0 || signal >= SIGNALS) return next_sigaction(signal, action, old);
  if (action != NULL && signal == refused) {
    errno = EPERM;
    return -1;
  }
  if (action != NULL) given[signal] = *action;
  if (!started[signal]) return next_sigaction(signal, action, old);
  if (machine == MACHINE_EXCLUSIVE) return next_sigaction(signal, NULL, old);
  const struct sigaction before = kept[signal];
  if (action != NULL) {
    kept[signal] = *action;
    if (machine == MACHINE_HANDS_ON && next_sigaction(signal, action, NULL) != 0) return -1;
  }
  if (old != NULL) *old = before;
  return 0;
}

void machine_handler(int signal, siginfo_t *info, void *context) {
  const struct sigaction *const asked = &kept[signal];
  if (asked->sa_handler == SIG_DFL || asked->sa_handler == SIG_IGN) _exit(MACHINE_REPORTS);
  asked->sa_sigaction(signal, info, context);
}

void (*handler_given(int signal))(int, siginfo_t *, void *) { return given[signal].sa_sigaction; }

void machine_refuses(int signal) { refused = signal; }

void machine_starts(int signal, machine_t kind) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = machine_handler;
  action.sa_flags = SA_SIGINFO;
  next_sigaction(signal, &action, &kept[signal]);
  machine = kind;
  started[signal] = 1;
}

struct sigaction machine_keeps(int signal) { return kept[signal]; }
