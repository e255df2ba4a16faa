/* An earlier handler may leave by siglongjmp, as many signal handlers do: with its own stack or on the interrupted one,
 * from anywhere in a host, as often as it likes. Nothing is used up, and traps are traps in between. */
#include <setjmp.h>
#include <signal.h>

#include "host.h"
#include "process.h"

enum { JUMPS = 10000 };

static sigjmp_buf landing;

static void jump_out(int signal) {
  (void)signal;
  siglongjmp(landing, 1);
}

static void jump_out_of_context(int signal, siginfo_t *info, void *context) {
  (void)info;
  (void)context;
  jump_out(signal);
}

static volatile int jumps;
static void *page;

static void fault_until_done(void *unused) {
  (void)unused;
  wasm_access_t access = {address_of(page), 0};
  (void)sigsetjmp(landing, 1);
  while (jumps < JUMPS) {
    jumps++;
    wasm_load.function(&access);
  }
}

static void run(void *flags) {
  struct sigaction action = {0};
  action.sa_flags = *(const int *)flags;
  if (action.sa_flags & SA_SIGINFO) {
    action.sa_sigaction = jump_out_of_context;
  } else {
    action.sa_handler = jump_out;
  }
  must(sigaction(SIGSEGV, &action, NULL) == 0);
  host_init();
  host_register_code(&wasm_call_import);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  page = inaccessible_page();
  must(library_traps()); /* what it takes once, malloc's own mappings say, it has */
  const size_t mappings = count_mappings();

  fault_until_done(NULL);
  same(jumps, JUMPS, "outside of a protected call");
  ok(library_traps(), "traps are traps afterwards");

  jumps = 0;
  wasm_import_t import = {fault_until_done, NULL};
  wasmtrap_trap_t trap;
  same(host_call(&wasm_call_import, &import, &trap), WASMTRAP_OK, "in an import, jumping within it");
  same(jumps, JUMPS, "as often");
  ok(library_traps(), "traps are traps afterwards");
  same(count_mappings(), mappings, "no memory is left behind");
}

int main(void) {
  static int flags[] = {0, SA_SIGINFO, SA_ONSTACK, SA_SIGINFO | SA_ONSTACK, SA_SIGINFO | SA_NODEFER};
  static const char *const names[] = {"one argument", "three arguments", "one argument, SA_ONSTACK",
                                      "three arguments, SA_ONSTACK", "three arguments, SA_NODEFER"};
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) child_passes(run, &flags[i], names[i]);
  return tap_done();
}
