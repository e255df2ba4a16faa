/* wasmtrap_shutdown while another handler is on top: that one stays, and when it calls the library's handler, which it
 * has kept, the signal goes on to the earlier one. A later wasmtrap_init works, without a loop. */
#include <signal.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static void fault(void) {
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load_in_leaf.function(&access);
  same(access.value, WASM_RED_ZONE_INTACT, "the fault was mended");
}

static void with_an_earlier_handler(void *unused) {
  (void)unused;
  install_handler(SIGSEGV, mending_handler, 0);
  const struct sigaction before = disposition_of(SIGBUS);
  host_init();
  install_passing_handler(SIGSEGV, SA_ONSTACK);
  same(wasmtrap_shutdown(), WASMTRAP_OK, "wasmtrap_shutdown");
  ok(disposition_of(SIGSEGV).sa_sigaction == passing_handler, "the newer handler is still there");
  const struct sigaction after = disposition_of(SIGBUS);
  ok(same_disposition(&before, &after), "signals that were not displaced are as before");
  fault();
  same(passing_calls, 1, "it gets a fault");
  same(mending_calls, 1, "and the earlier one gets it by the library");

  host_init();
  ok(library_traps(), "after another init a trap is a trap");
  same(passing_calls, 1, "which the newer handler does not see");
  fault();
  same(passing_calls, 2, "it gets what is no trap, once");
  same(mending_calls, 2, "and the earlier one, once");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "another shutdown");
  ok(disposition_of(SIGSEGV).sa_sigaction == passing_handler, "puts the newer handler back");
  fault();
  same(passing_calls, 3, "which works");
  same(mending_calls, 3, "down to the earlier one");
}

static void with_none(void *unused) {
  (void)unused;
  host_init();
  install_passing_handler(SIGSEGV, SA_ONSTACK);
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  wasm_load.function(&(wasm_access_t){address_of(inaccessible_page()), 0});
}

int main(void) {
  child_passes(with_an_earlier_handler, NULL, "an earlier handler");
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), with_none, NULL, "SIG_DFL below");
  return tap_done();
}
