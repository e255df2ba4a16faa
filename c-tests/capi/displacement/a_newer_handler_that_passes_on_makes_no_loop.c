/* A newer handler that hands what it does not know to the one that it replaced, the library's: traps work through it,
 * and after wasmtrap_rearm, which puts it underneath, a fault that is nobody's goes through each handler once. */
#include <signal.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static void fault(void) {
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load_in_leaf.function(&access);
  same(access.value, WASM_RED_ZONE_INTACT, "the fault was mended");
}

static void with_an_earlier_handler(void *flags) {
  const int newer_flags = *(const int *)flags;
  install_handler(SIGSEGV, mending_handler, 0);
  host_init();
  install_passing_handler(SIGSEGV, newer_flags);
  ok(library_traps(), "displaced: a trap is a trap, through the newer handler");
  same(passing_calls, 1, "which saw it");
  fault();
  same(passing_calls, 2, "a fault that is no trap comes by the newer handler");
  same(mending_calls, 1, "and the library to the earlier one");

  must(wasmtrap_rearm() == WASMTRAP_OK);
  ok(library_traps(), "rearmed: a trap is a trap");
  same(passing_calls, 2, "which the newer handler does not see");
  fault();
  same(passing_calls, 3, "a fault that is no trap goes to the newer handler, once");
  same(mending_calls, 2, "and from there to the earlier one, once");
  raise(SIGSEGV);
  same(passing_calls, 4, "a signal that was sent as well");
  same(mending_calls, 3, "once each");
}

static void with_none(void *unused) {
  (void)unused;
  host_init();
  install_passing_handler(SIGSEGV, SA_ONSTACK);
  must(wasmtrap_rearm() == WASMTRAP_OK);
  ok(library_traps(), "rearmed: a trap is a trap");
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
}

int main(void) {
  static int on_stack = SA_ONSTACK, plain = 0, nodefer = SA_NODEFER | SA_ONSTACK;
  child_passes(with_an_earlier_handler, &on_stack, "an earlier handler, a newer one with SA_ONSTACK");
  child_passes(with_an_earlier_handler, &plain, "an earlier handler, a newer one without");
  child_passes(with_an_earlier_handler, &nodefer, "an earlier handler, a newer one with SA_NODEFER");
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), with_none, NULL, "SIG_DFL below all of them");
  return tap_done();
}
