/* WebAssembly has no floating-point traps: a host that has unmasked the exceptions gets them itself, unless the trap
 * site says what they mean. */
#include <signal.h>

#include "host.h"
#include "process.h"

#if defined(__x86_64__)
static void without_a_site(void *unused) {
  (void)unused;
  host_init();
  host_register_code(&wasm_divide_floats);
  wasmtrap_trap_t trap;
  host_call(&wasm_divide_floats, NULL, &trap);
}

static void at_a_site(void *unused) {
  (void)unused;
  host_init();
  host_register_code_with_site(&wasm_divide_floats, WASMTRAP_CODE_BAD_CONVERSION_TO_INTEGER);
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_divide_floats, NULL, &trap), &trap, WASMTRAP_CODE_BAD_CONVERSION_TO_INTEGER, "a trap");
  reported_by(SIGFPE, FPE_FLTDIV, trap);
  volatile double zero = 0;
  ok(1 / zero > 1, "the host divides as before");
}

int main(void) {
  child_dies_at(SIGFPE, wasm_fault_pc(&wasm_divide_floats), without_a_site, NULL, "without a site it is a crash");
  child_passes(at_a_site, NULL, "at a site it is what the site says");
  return tap_done();
}
#else
int main(void) { return tap_skip_all("this processor has no floating-point exceptions that trap"); }
#endif
