/* A handler with SA_NODEFER that faults is called again, by its own rules; without it, the process dies as the kernel
 * would have it, at the second fault. */
#include <signal.h>
#include <stdlib.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

enum { DEPTH = 5 };

static volatile int depth;

static void fault_again(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  if (++depth < DEPTH) {
    wasm_access_t access = {address_of(inaccessible_page()), 0};
    wasm_store.function(&access);
  }
  make_accessible(info->si_addr);
}

static void run(void *flags) {
  install_handler(SIGSEGV, fault_again, *(const int *)flags);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load_in_leaf.function(&access);
  same(depth, DEPTH, "the handler was called from inside of itself");
  same(access.value, WASM_RED_ZONE_INTACT, "and the first load goes on");
}

int main(void) {
  static int nodefer = SA_NODEFER, nodefer_onstack = SA_NODEFER | SA_ONSTACK;
  child_passes(run, &nodefer, "SA_NODEFER");
  child_passes(run, &nodefer_onstack, "SA_NODEFER, SA_ONSTACK");
#if !defined(_WIN32) /* Each exception there comes to the handler, as with SA_NODEFER. */
  static int plain = 0;
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_store), run, &plain, "neither: the second fault kills");
#endif
  return tap_done();
}
