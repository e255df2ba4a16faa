/* wasmtrap_thread_detach refuses inside of a protected call, and on the alternate stack that it would take away. */
#include "handlers.h"
#include "host.h"
#include "refusal.h"

static void *page;

static void detach_inside(void *unused) {
  (void)unused;
  refused(wasmtrap_thread_detach(), WASMTRAP_ERR_BUSY, "protected call", NULL, "inside of a protected call");
  wasm_access_t access = {address_of(page), 0};
  wasm_load.function(&access);
}

static void detach_on_alternate_stack(void) {
  refused(wasmtrap_thread_detach(), WASMTRAP_ERR_BUSY, "alternate signal stack", NULL, "on the alternate stack");
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  page = inaccessible_page();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  remember_state();
  wasmtrap_trap_t trap = host_new_trap();
  trapped_with(wasmtrap_call(detach_inside, NULL, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "the call is still there, and traps");
  if (!run_on_alternate_stack(detach_on_alternate_stack)) {
    tap_skip("there are no alternate stacks", "on the alternate stack");
  }
  ok(library_traps(), "the thread still traps");
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "outside of both it works");
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "twice is no error");
  ok(library_traps(), "the next call attaches again");
  return tap_done();
}
