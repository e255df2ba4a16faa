/* wasmtrap_raise out of a fault handler: the call traps, the signal mask is what it was where the fault happened, the
 * thread is on its own stack, and the next fault is asked about like the first; over an earlier handler, over none, and
 * in a host's own handler. */
#include <signal.h>
#include <unistd.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

enum { ROUNDS = 20 };

static int asked;

static wasmtrap_verdict_t raise_from_it(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  asked++;
  wasmtrap_raise(WASMTRAP_CODE_USER + 1, fault->fault_address);
}

static void rounds(void) {
  must(wasmtrap_set_fault_handler(raise_from_it, NULL) == WASMTRAP_OK);
  host_register_code(&wasm_load);
  host_register_code(&wasm_unreachable);
  void *const page = inaccessible_page();
  sigset_t mask;
  must(sigemptyset(&mask) == 0 && sigaddset(&mask, SIGUSR2) == 0 && pthread_sigmask(SIG_SETMASK, &mask, NULL) == 0);
  for (int i = 0; i < ROUNDS; i++) {
    wasmtrap_trap_t trap;
    if (i % 2 == 0) {
      must(host_load(&wasm_load, page, &trap) == WASMTRAP_TRAPPED && trap.payload == address_of(page));
    } else {
      must(host_call(&wasm_unreachable, NULL, &trap) == WASMTRAP_TRAPPED);
    }
    must(trap.code == WASMTRAP_CODE_USER + 1);
    must(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
    for (int signal = 1; signal < 32; signal++) {
      if (sigismember(&mask, signal) != (signal == SIGUSR2)) {
        ok(0, "round %d: signal %d is blocked as before", i, signal);
        return;
      }
    }
    stack_t stack;
    must(sigaltstack(NULL, &stack) == 0 && (stack.ss_flags & SS_ONSTACK) == 0);
  }
  same(asked, ROUNDS, "it was asked about each");
}

static void over_the_default(void *unused) {
  (void)unused;
  host_init();
  rounds();
}

static void over_a_handler(void *flags) {
  install_handler(SIGSEGV, mending_handler, *(const int *)flags);
  install_handler(SIGILL, mending_handler, *(const int *)flags);
  host_init();
  rounds();
}

static void try_the_library(int signal, siginfo_t *info, void *context) {
  if (!wasmtrap_try_handle_signal(signal, info, context)) _exit(77);
}

static void in_a_hosts_handler(void *flags) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.flags = WASMTRAP_INIT_HOST_OWNS_SIGNALS;
  options.backend = WASMTRAP_BACKEND_SIGNALS;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  install_handler(SIGSEGV, try_the_library, *(const int *)flags);
  install_handler(SIGILL, try_the_library, *(const int *)flags);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  rounds();
}

int main(void) {
  static int plain = 0, on_stack = SA_ONSTACK;
  child_passes(over_the_default, NULL, "over the default action");
  child_passes(over_a_handler, &plain, "over a handler");
  child_passes(over_a_handler, &on_stack, "over a handler on the alternate stack");
  child_passes(in_a_hosts_handler, &plain, "in a host's handler");
  child_passes(in_a_hosts_handler, &on_stack, "in a host's handler on the alternate stack");
  return tap_done();
}
