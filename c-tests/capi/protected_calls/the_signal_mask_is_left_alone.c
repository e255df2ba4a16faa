/* After a trap the signal mask is what it was where the trap happened, and the alternate stack is free: no signal stays
 * blocked because a handler never returned. */
#include <signal.h>
#include <string.h>

#include "host.h"

static int mask_is(const sigset_t *expected) {
  sigset_t now;
  must(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
  for (int signal = 1; signal < NSIG; signal++) {
    if (sigismember(&now, signal) != sigismember(expected, signal)) return 0;
  }
  return 1;
}

static int on_alternate_stack(void) {
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0);
  return (stack.ss_flags & SS_ONSTACK) != 0;
}

static void block_and_fault(void *page) {
  sigset_t more;
  sigemptyset(&more);
  sigaddset(&more, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &more, NULL);
  wasm_access_t access = {address_of(page), 0};
  wasm_load.function(&access);
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  host_register_code(&wasm_unreachable);
  host_register_code(&wasm_call_import);
  void *const page = inaccessible_page();
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  must(pthread_sigmask(SIG_SETMASK, &mask, NULL) == 0);

  wasmtrap_trap_t trap;
  for (int i = 0; i < 3; i++) {
    same(host_load(&wasm_load, page, &trap), WASMTRAP_TRAPPED, "a memory fault");
    ok(mask_is(&mask), "the mask is as before");
    same(host_call(&wasm_unreachable, NULL, &trap), WASMTRAP_TRAPPED, "an illegal instruction");
    ok(mask_is(&mask), "the mask is as before");
    ok(!on_alternate_stack(), "the thread is on its own stack");
  }

  wasm_import_t import = {block_and_fault, page};
  same(host_call(&wasm_call_import, &import, &trap), WASMTRAP_TRAPPED, "code that blocks a signal and traps");
  sigaddset(&mask, SIGUSR2);
  ok(mask_is(&mask), "leaves it blocked, as code that returns would");
  return tap_done();
}
