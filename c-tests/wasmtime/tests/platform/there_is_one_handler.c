/* A second Wasmtime in the process, with a handler of its own, is refused and told so: it would share the first one's
 * thread-locals. The same handler again is fine, and so is a host that has set the library up itself. */
#include "platform.h"
#include "tap.h"
#include "wasmtrap.h"

static void another(uintptr_t ip, uintptr_t fp, bool has_faulting_addr, uintptr_t faulting_addr) {
  (void)ip, (void)fp, (void)has_faulting_addr, (void)faulting_addr;
}

int main(void) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.backend = WASMTRAP_BACKEND_AUTO;
  options.alternate_stack_size = 65536;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  same(wasmtime_init_traps(jump_out), 0, "a library that is set up in another way is taken as it is");
  same(wasmtime_init_traps(jump_out), 0, "once more");
  ok(wasmtime_init_traps(another) != 0, "another handler is refused");
  engine_t engine = new_code();
  same(run_wasm(engine.load, (const void *)8), 1, "the first handler stays");
  return tap_done();
}
