/* WebAssembly that jumps to where there is no code has lost its way for good: the program counter is in no registered
 * range, so it is a crash. */
#include <signal.h>

#include "host.h"
#include "process.h"

static void run(void *target) {
  host_init();
  host_register_code(&wasm_jump);
  wasm_access_t access = {address_of(target), 0};
  wasmtrap_trap_t trap;
  host_call(&wasm_jump, &access, &trap);
}

int main(void) {
  unsigned char *const page = inaccessible_page();
  child_dies_at(SIGSEGV, address_of(page), run, page, "a jump to a page that may not be executed");
  child_dies_at(SIGSEGV, 0, run, NULL, "a jump to address 0");
  return tap_done();
}
