/* wasmtrap_shutdown takes all registrations along: what trapped before is a crash after it, and after another
 * wasmtrap_init as well, until it is registered again. */
#include <signal.h>

#include "host.h"
#include "process.h"

static void fault(void) {
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
}

static void trap_and_shut_down(void) {
  host_init();
  host_register_code(&wasm_load);
  wasmtrap_trap_t trap;
  must(host_load(&wasm_load, inaccessible_page(), &trap) == WASMTRAP_TRAPPED);
  must(wasmtrap_shutdown() == WASMTRAP_OK);
}

static void after_shutdown(void *unused) {
  (void)unused;
  trap_and_shut_down();
  fault();
}

static void after_another_init(void *unused) {
  (void)unused;
  trap_and_shut_down();
  host_init();
  wasmtrap_trap_t trap;
  host_load(&wasm_load, inaccessible_page(), &trap);
}

static void registered_again(void *unused) {
  (void)unused;
  trap_and_shut_down();
  trap_and_shut_down();
}

int main(void) {
  const size_t pc = wasm_fault_pc(&wasm_load);
  child_dies_at(SIGSEGV, pc, after_shutdown, NULL, "after shutdown");
  child_dies_at(SIGSEGV, pc, after_another_init, NULL, "after shutdown and another init");
  child_passes(registered_again, NULL, "registered again, it is a trap");
  return tap_done();
}
