/* A handler that gets a fault of registered code, at no trap site, may end the call by wasmtrap_raise: on the alternate
 * stack, and on the interrupted one. The thread leaves the alternate stack, and can do it again. */
#include <signal.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static void raise_from_handler(int signal, siginfo_t *info, void *context) {
  (void)context;
  (void)signal;
  wasmtrap_raise(WASMTRAP_CODE_USER + 1, address_of(info->si_addr));
}

static void run(void *flags) {
  install_handler(SIGSEGV, raise_from_handler, SA_NODEFER | *(const int *)flags);
  host_init();
  wasm_code_t load = wasm_load;
  load.fault = 0;
  host_register_code_with_site(&load, WASMTRAP_CODE_UNREACHABLE);
  void *const page = inaccessible_page();
  for (int i = 0; i < 1000; i++) {
    wasmtrap_trap_t trap;
    const wasmtrap_status_t status = host_load(&load, page, &trap);
    if (status != WASMTRAP_TRAPPED || trap.code != WASMTRAP_CODE_USER + 1 || trap.payload != address_of(page)) {
      ok(0, "round %d: it landed", i);
      return;
    }
  }
#if !defined(_WIN32)
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0);
  same(stack.ss_flags & SS_ONSTACK, 0, "the thread is on its own stack");
#endif
  ok(library_traps(), "a trap is a trap");
}

int main(void) {
  static int plain = 0, on_stack = SA_ONSTACK;
  child_passes(run, &plain, "a handler on the interrupted stack");
  child_passes(run, &on_stack, "a handler on the alternate stack");
  return tap_done();
}
