/* After wasmtrap_rearm, traps are the library's again, and a handler that was installed over it gets what is no
 * trap. */
#include <signal.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static volatile int newer_calls;

static void newer(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  newer_calls++;
  make_accessible(info->si_addr);
}

static void rearm(void *unused) {
  (void)unused;
  install_handler(SIGSEGV, mending_handler, 0);
  host_init();
  install_handler(SIGSEGV, newer, SA_ONSTACK);
  same(wasmtrap_rearm(), WASMTRAP_OK, "wasmtrap_rearm");
  uint32_t kinds = 1;
  same(wasmtrap_check(&kinds), WASMTRAP_OK, "wasmtrap_check");
  same(kinds, 0, "nothing is displaced any more");

  ok(library_traps(), "a trap is a trap");
  same(newer_calls, 0, "which the newer handler does not see");
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
  same(newer_calls, 1, "a fault that is no trap is its own");
  same(mending_calls, 0, "and not the earlier handler's, which it had replaced");
}

static void displaced_by_default(void *unused) {
  (void)unused;
  host_init();
  must(signal(SIGSEGV, SIG_DFL) != SIG_ERR);
  must(wasmtrap_rearm() == WASMTRAP_OK);
  ok(library_traps(), "a trap is a trap");
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
}

static void nothing_displaced(void *unused) {
  (void)unused;
  install_handler(SIGSEGV, mending_handler, 0);
  host_init();
  for (int i = 0; i < 20; i++) same(wasmtrap_rearm(), WASMTRAP_OK, "wasmtrap_rearm with nothing displaced");
  ok(library_traps(), "a trap is a trap");
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
  same(mending_calls, 1, "the earlier handler is where it was");
}

int main(void) {
  child_passes(rearm, NULL, "a newer handler");
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), displaced_by_default, NULL, "SIG_DFL that was put over it");
  child_passes(nothing_displaced, NULL, "nothing");
  return tap_done();
}
