/* An earlier handler that changes the interrupted registers and returns has the thread go on with them. */
#include <signal.h>

#include "context.h"
#include "handlers.h"
#include "host.h"
#include "process.h"

static void step_over(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  context_set_pc(context, context_pc(context) + WASM_UNREACHABLE_SIZE);
}

static void read_elsewhere(int signal, siginfo_t *info, void *context) {
  static const uint64_t elsewhere = 4711;
  (void)signal;
  (void)info;
  context_load_from(context, &elsewhere);
}

static void run(void *flags) {
  install_handler(SIGILL, step_over, *(const int *)flags);
  install_handler(SIGSEGV, read_elsewhere, *(const int *)flags);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);

  wasm_unreachable.function(NULL);
  ok(1, "the program counter: an illegal instruction is stepped over");
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
  same(access.value, 4711, "a general register: the load reads from where the handler said");
}

int main(void) {
  static int plain = 0, on_stack = SA_ONSTACK, plain_nodefer = SA_NODEFER;
  child_passes(run, &plain, "a handler on the interrupted stack");
  child_passes(run, &on_stack, "a handler on the alternate stack");
  child_passes(run, &plain_nodefer, "a handler with SA_NODEFER");
  return tap_done();
}
