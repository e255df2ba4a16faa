/* A bug in a function that WebAssembly imports is the host's crash, although it happens inside of a protected call:
 * were it a trap, the host would go on with its own state half changed. */
#include <signal.h>

#include "host.h"
#include "process.h"

/* wasm_load and wasm_recurse are the host's here: not registered. */
static wasm_access_t null_access;

static void run(void *import) {
  host_init();
  host_register_code(&wasm_call_import);
  wasmtrap_trap_t trap;
  host_call(&wasm_call_import, import, &trap);
}

int main(void) {
  wasm_import_t null_load = {wasm_load.function, &null_access};
  wasm_import_t nested_null_load = {wasm_call_import.function, &null_load};
  wasm_import_t endless = {wasm_recurse.function, &null_access};
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), run, &null_load, "a null pointer in an import");
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), run, &nested_null_load, "further down");
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_recurse), run, &endless, "an import that uses up the stack");
  return tap_done();
}
