/* A host's own signal handler, on the alternate stack, that runs WebAssembly: a trap there ends the call that was made
 * there, and the handler returns to where it interrupted. */
#include <signal.h>

#include "handlers.h"
#include "host.h"

static void *page;
static volatile int handled;

/* Raised by the thread itself, so that this handler may do more than others. */
static void run_wasm(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0);
  ok((stack.ss_flags & SS_ONSTACK) != 0, "the handler is on the alternate stack");
  for (int i = 0; i < 100; i++) {
    wasmtrap_trap_t trap;
    if (host_load(&wasm_load, page, &trap) == WASMTRAP_TRAPPED && trap.fault_address == address_of(page)) handled++;
  }
  must(sigaltstack(NULL, &stack) == 0);
  ok((stack.ss_flags & SS_ONSTACK) != 0, "and stays there");
}

static void raise_it(void *unused) {
  (void)unused;
  raise(SIGUSR1);
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  host_register_code(&wasm_call_import);
  page = inaccessible_page();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  install_handler(SIGUSR1, run_wasm, SA_ONSTACK);
  raise(SIGUSR1);
  same(handled, 100, "all traps landed in the handler");

  wasm_import_t import = {raise_it, NULL};
  wasmtrap_trap_t trap;
  same(host_call(&wasm_call_import, &import, &trap), WASMTRAP_OK, "the same in a call that the signal interrupted");
  same(handled, 200, "all traps landed in the handler");
  trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a trap is a trap");
  return tap_done();
}
