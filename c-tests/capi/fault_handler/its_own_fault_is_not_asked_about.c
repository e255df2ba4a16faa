/* A fault of the fault handler itself, of whatever kind, ends the process by its signal: the handler is not asked about
 * it, or it would be for ever; and not either where it has let the signals in that are blocked while it runs. */
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

/* Memory shared with children; on Windows, where none is, a child that is asked twice ends otherwise. */
static volatile int *asked;
#if !defined(_WIN32)
static int lets_signals_in;
#endif

static wasmtrap_verdict_t fault_itself(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
#if defined(_WIN32)
  if (++*asked > 1) _exit(78);
#else
  ++*asked;
  if (lets_signals_in) {
    sigset_t all;
    sigfillset(&all);
    must(sigprocmask(SIG_UNBLOCK, &all, NULL) == 0);
  }
#endif
  const wasm_code_t *const code = user;
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  code->function(&access);
  return WASMTRAP_VERDICT_FORWARD;
}

static void by_the_library(void *code) {
  host_init_with_signals();
  must(wasmtrap_set_fault_handler(fault_itself, code) == WASMTRAP_OK);
  (void)library_traps();
}

#if !defined(_WIN32)
static void try_the_library(int signal, siginfo_t *info, void *context) {
  if (!wasmtrap_try_handle_signal(signal, info, context)) {
    must(kill(getpid(), SIGUSR1) == 0);
    _exit(77);
  }
}

static void in_a_hosts_handler(void *code) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.flags = WASMTRAP_INIT_HOST_OWNS_SIGNALS;
  options.backend = WASMTRAP_BACKEND_SIGNALS;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  install_handler(SIGSEGV, try_the_library, SA_ONSTACK | SA_NODEFER);
  install_handler(SIGILL, try_the_library, SA_ONSTACK | SA_NODEFER);
  must(wasmtrap_set_fault_handler(fault_itself, code) == WASMTRAP_OK);
  (void)library_traps();
}

#endif

static wasm_code_t load, unreachable;

#if defined(_WIN32)
static void once(int signal, child_function_t run, wasm_code_t *code, const char *name) {
  static int count;
  asked = &count;
  child_dies_at(signal, wasm_fault_pc(code), run, code, name);
}
#else
static void once(int signal, child_function_t run, wasm_code_t *code, const char *name) {
  for (lets_signals_in = 0; lets_signals_in < 2; lets_signals_in++) {
    *asked = 0;
    /* The host's handler hears of it where its signal is not blocked. */
    child_dies_of(lets_signals_in && run == in_a_hosts_handler ? SIGUSR1 : signal, run, code, name);
    same(*asked, 1, "... and is asked once%s", lets_signals_in ? ", having let signals in" : "");
  }
}
#endif

int main(void) {
#if !defined(_WIN32)
  asked = mmap(NULL, sizeof *asked, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  must(asked != MAP_FAILED);
#endif
  load = wasm_load;
  unreachable = wasm_unreachable;
  once(SIGSEGV, by_the_library, &load, "it loads from where it must not");
  once(SIGILL, by_the_library, &unreachable, "it runs what is no instruction");
#if !defined(_WIN32)
  once(SIGSEGV, in_a_hosts_handler, &load, "in a host's handler, it loads from where it must not");
  once(SIGILL, in_a_hosts_handler, &unreachable, "in a host's handler, it runs what is no instruction");
#endif
  return tap_done();
}
