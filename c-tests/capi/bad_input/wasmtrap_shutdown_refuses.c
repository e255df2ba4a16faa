/* wasmtrap_shutdown refuses while a protected call is under way on any thread, and where there is nothing to shut
 * down. */
#include "fiber.h"
#include "host.h"
#include "refusal.h"
#include "spinner.h"

static void shut_down_inside(void *unused) {
  (void)unused;
  refused(wasmtrap_shutdown(), WASMTRAP_ERR_BUSY, "protected call", NULL, "inside of a protected call");
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, inaccessible_page(), &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "a trap is a trap");
}

static void yield_inside(void *fiber) { fiber_yield(fiber); }

static void run_fiber(fiber_t *fiber, void *unused) {
  (void)unused;
  same(wasmtrap_call(yield_inside, fiber, NULL), WASMTRAP_OK, "the fiber's call returns in the end");
}

int main(void) {
  remember_state();
  refused(wasmtrap_shutdown(), WASMTRAP_ERR_NOT_INITIALIZED, "wasmtrap_init", NULL, "before wasmtrap_init");

  host_init();
  host_register_code(&wasm_load);
  host_register_code(&wasm_spin);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  remember_state();
  must(wasmtrap_call(shut_down_inside, NULL, NULL) == WASMTRAP_OK);

  spinner_t other;
  spinner_start(&other);
  remember_state();
  refused(wasmtrap_shutdown(), WASMTRAP_ERR_BUSY, "protected call", NULL, "while another thread is inside of one");
  ok(library_traps(), "a trap is a trap");
  spinner_stop(&other);

  fiber_t *const fiber = fiber_new(run_fiber, NULL);
  fiber_resume(fiber);
  same(wasmtrap_shutdown(), WASMTRAP_OK, "a detached chain does not stand in the way: its fiber may never run again");
  host_init();
  fiber_resume(fiber);

  same(wasmtrap_shutdown(), WASMTRAP_OK, "when all have returned, it works");
  remember_state();
  refused(wasmtrap_shutdown(), WASMTRAP_ERR_NOT_INITIALIZED, "wasmtrap_shutdown", NULL, "a second time");
  return tap_done();
}
