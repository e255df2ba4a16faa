/* A protected call on a stack that the library was not told of, right below the stack's end: of its frame no more is
 * looked at than there is, and a trap lands in it. */
#include "fiber.h"
#include "host.h"

static wasm_access_t access_of_page;
static wasmtrap_trap_t trap;
static wasmtrap_status_t status;
static size_t from_top;

/* Little of its own, so that the call's frame is at the top. */
static void call_at_once(fiber_t *fiber, void *unused) {
  (void)unused;
  from_top = (size_t)(address_of(fiber->stack.high) - address_of(__builtin_frame_address(0)));
  status = wasmtrap_call(wasm_load.function, &access_of_page, &trap);
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  access_of_page.address = address_of(inaccessible_page());
  trap = host_new_trap();
  fiber_t *const fiber = fiber_new(call_at_once, NULL);
  fiber->undeclared = 1;
  fiber_resume(fiber);
  tap_note("%zu bytes below the stack's end", from_top);
  same(status, WASMTRAP_TRAPPED, "the call has trapped");
  same(trap.fault_address, access_of_page.address, "by the fault");
  ok(library_traps(), "a trap on the thread's own stack is a trap");
  fiber_free(fiber);
  return tap_done();
}
