#include "interposer.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

enum { SIGNALS = 65 };
static struct sigaction kept[SIGNALS];
static volatile sig_atomic_t started[SIGNALS];
static int nobody_else;

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
  if (signal < 0 || signal >= SIGNALS || !started[signal]) return next_sigaction(signal, action, old);
  if (nobody_else) return next_sigaction(signal, NULL, old);
  const struct sigaction before = kept[signal];
  if (action != NULL) kept[signal] = *action;
  if (old != NULL) *old = before;
  return 0;
}

void machine_handler(int signal, siginfo_t *info, void *context) {
  const struct sigaction *const asked = &kept[signal];
  if (asked->sa_handler == SIG_DFL || asked->sa_handler == SIG_IGN) _exit(MACHINE_REPORTS);
  asked->sa_sigaction(signal, info, context);
}

void machine_starts(int signal, int exclusive) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = machine_handler;
  action.sa_flags = SA_SIGINFO;
  next_sigaction(signal, &action, &kept[signal]);
  nobody_else = exclusive;
  started[signal] = 1;
}

struct sigaction machine_keeps(int signal) { return kept[signal]; }
