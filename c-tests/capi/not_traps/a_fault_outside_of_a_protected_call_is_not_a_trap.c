/* Registered code that the host calls without wasmtrap_call has nowhere to land: a fault there kills the process. */
#include <signal.h>

#include "host.h"
#include "process.h"

static void call_directly(wasm_access_t *access) {
  access->address = address_of(inaccessible_page());
  access->value = 0;
  wasm_load.function(access);
}

static void before_any(void *unused) {
  (void)unused;
  host_init();
  host_register_code(&wasm_load);
  wasm_access_t access;
  call_directly(&access);
}

static void after_one_returned(void *unused) {
  (void)unused;
  host_init();
  host_register_code(&wasm_load);
  uint64_t word = 0;
  wasmtrap_trap_t trap;
  must(host_load(&wasm_load, &word, &trap) == WASMTRAP_OK);
  wasm_access_t access;
  call_directly(&access);
}

static void after_one_trapped(void *unused) {
  (void)unused;
  host_init();
  host_register_code(&wasm_load);
  wasmtrap_trap_t trap;
  must(host_load(&wasm_load, inaccessible_page(), &trap) == WASMTRAP_TRAPPED);
  wasm_access_t access;
  call_directly(&access);
}

int main(void) {
  const size_t pc = wasm_fault_pc(&wasm_load);
  child_dies_at(SIGSEGV, pc, before_any, NULL, "before any protected call");
  child_dies_at(SIGSEGV, pc, after_one_returned, NULL, "after one that returned");
  child_dies_at(SIGSEGV, pc, after_one_trapped, NULL, "after one that trapped");
  return tap_done();
}
