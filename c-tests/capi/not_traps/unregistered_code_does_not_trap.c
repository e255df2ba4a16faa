/* After wasmtrap_code_unregister the code is the host's again: a fault there is a crash, also when other ranges are
 * registered in its neighbourhood, and other code may be registered in its place. */
#include <signal.h>

#include "host.h"
#include "process.h"

static void run(void *argument) {
  const wasm_code_t *const load = argument;
  host_init();
  host_register_code(&wasm_unreachable);
  const uint64_t id = host_register_code(load);
  void *const page = inaccessible_page();
  wasmtrap_trap_t trap;
  must(host_load(load, page, &trap) == WASMTRAP_TRAPPED);
  must(wasmtrap_code_unregister(id) == WASMTRAP_OK);
  host_load(load, page, &trap);
}

static void register_again(void *argument) {
  const wasm_code_t *const load = argument;
  host_init();
  const uint64_t id = host_register_code(load);
  must(wasmtrap_code_unregister(id) == WASMTRAP_OK);
  const uint64_t again = host_register_code_with_site(load, WASMTRAP_CODE_NULL_REFERENCE);
  ok(again != id, "an id is used once");
  wasmtrap_trap_t trap;
  trapped_with(host_load(load, inaccessible_page(), &trap), &trap, WASMTRAP_CODE_NULL_REFERENCE, "the new range");
  same(trap.code_id, again, "is the one that trapped");
}

int main(void) {
  wasm_code_t load = wasm_compile(&wasm_load);
  child_dies_at(SIGSEGV, wasm_fault_pc(&load), run, &load, "a load in unregistered code");
  child_passes(register_again, &load, "code registered in the same place");
  return tap_done();
}
