/* Somebody reads the library's disposition, adds to its mask, and installs it again. While the handler runs, more is
 * blocked than the library wanted; after the trap the mask is what it was. */
#include <signal.h>

#include "host.h"

static const int added[] = {SIGUSR1, SIGSEGV};

static void change_disposition(void) {
  struct sigaction action;
  must(sigaction(SIGSEGV, NULL, &action) == 0);
  action.sa_flags &= ~SA_NODEFER;
  sigaddset(&action.sa_mask, SIGUSR1);
  must(sigaction(SIGSEGV, &action, NULL) == 0);
}

static void check_mask(const char *when) {
  sigset_t now;
  must(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
  for (size_t i = 0; i < sizeof added / sizeof *added; i++) {
    ok(!sigismember(&now, added[i]), "%s: signal %d is not blocked", when, added[i]);
  }
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  void *const page = inaccessible_page();
  wasmtrap_trap_t trap;
  change_disposition();
  for (int i = 0; i < 2; i++) {
    same(host_load(&wasm_load, page, &trap), WASMTRAP_TRAPPED, "changed: a trap");
    check_mask("changed");
  }
  must(wasmtrap_rearm() == WASMTRAP_OK);
  for (int i = 0; i < 2; i++) {
    same(host_load(&wasm_load, page, &trap), WASMTRAP_TRAPPED, "rearmed: a trap");
    check_mask("rearmed");
  }
  return tap_done();
}
