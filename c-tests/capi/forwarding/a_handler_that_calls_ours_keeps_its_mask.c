/* A newer handler calls the library's, which calls an earlier one with that one's own signal mask. When it is back, the
 * newer handler's mask is what it was. */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "handlers.h"
#include "host.h"

static struct sigaction replaced;
static sigset_t before, during, after;
static int calls;

static void earlier_handler(int signal, siginfo_t *info, void *context) {
  pthread_sigmask(SIG_SETMASK, NULL, &during);
  mending_handler(signal, info, context);
}

static void newer_handler(int signal, siginfo_t *info, void *context) {
  calls++;
  pthread_sigmask(SIG_SETMASK, NULL, &before);
  replaced.sa_sigaction(signal, info, context);
  pthread_sigmask(SIG_SETMASK, NULL, &after);
}

static void install(signal_handler_t handler, int blocked, int flags, struct sigaction *previous) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  sigaddset(&action.sa_mask, blocked);
  must(sigaction(SIGSEGV, &action, previous) == 0);
}

static void check(const char *name) {
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access); /* not registered: a fault of the host's */
  same(calls, 1, "%s: the newer handler was called", name);
  same(sigismember(&before, SIGUSR1), 1, "%s: with its own mask", name);
  same(sigismember(&before, SIGUSR2), 0, "%s: and no more", name);
  same(sigismember(&during, SIGUSR2), 1, "%s: the earlier one has its own", name);
  same(memcmp(&before, &after, sizeof before), 0, "%s: the newer one has its own back", name);
  calls = 0;
}

int main(void) {
  install(earlier_handler, SIGUSR2, SA_ONSTACK, NULL);
  host_init_with_signals();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  install(newer_handler, SIGUSR1, SA_ONSTACK, &replaced);
  check("on the alternate stack");
  struct sigaction ours = replaced;
  install(newer_handler, SIGUSR1, 0, NULL);
  replaced = ours;
  check("on the thread's stack");
  return tap_done();
}
