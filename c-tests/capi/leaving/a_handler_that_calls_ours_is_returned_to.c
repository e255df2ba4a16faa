/* A newer handler calls the library's and has something to do afterwards, whether the fault was a trap or not: the
 * context that it was given is whole then. */
#include <signal.h>

#include "handlers.h"
#include "host.h"

static struct sigaction replaced;
static volatile int entered, returned, has_state;

/* Whether the context leads to the floating-point state that it led to before. */
static const void *state_of(const void *context) {
#if defined(__linux__) && defined(__x86_64__)
  return ((const ucontext_t *)context)->uc_mcontext.fpregs;
#else
  return context;
#endif
}

static void calling_handler(int signal, siginfo_t *info, void *context) {
  entered++;
  const void *const state = state_of(context);
  replaced.sa_sigaction(signal, info, context);
  returned++;
  has_state += state_of(context) == state;
}

static void check(int flags, const char *name) {
  enum { TRAPS = 3 };
  replaced = install_handler(SIGSEGV, calling_handler, flags);
  entered = returned = has_state = 0;
  void *const page = inaccessible_page();
  for (int trap = 1; trap <= TRAPS; trap++) {
    wasmtrap_trap_t record;
    same(host_load(&wasm_load, page, &record), WASMTRAP_TRAPPED, "%s: a trap", name);
    same(entered, trap, "by way of the newer handler");
    same(returned, trap, "which went on after it");
    same(has_state, trap, "with the floating-point state in its context");
  }
  must(sigaction(SIGSEGV, &replaced, NULL) == 0);
}

int main(void) {
  host_init_with_signals();
  host_register_code(&wasm_load);
  check(SA_ONSTACK, "on the alternate stack");
  check(SA_ONSTACK | SA_NODEFER, "with nothing blocked");
  check(0, "on the interrupted stack");
  return tap_done();
}
