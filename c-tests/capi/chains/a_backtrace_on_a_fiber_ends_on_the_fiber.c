/* A backtrace on a fiber's stack shows the fiber's frames, up to the protected call; outside of the bounds that the
 * library was told, it stops. */
#include "fiber.h"
#include "host.h"

static void *page;
static size_t frames[WASMTRAP_MAX_FRAMES];

static void on_fiber(fiber_t *fiber, void *unused) {
  (void)fiber;
  (void)unused;
  wasm_access_t access = {address_of(page), 0};
  wasm_import_t inner = {wasm_load.function, &access};
  wasm_import_t outer = {wasm_call_import.function, &inner};
  wasmtrap_trap_t trap = host_new_trap();
  trap.frames = frames;
  trap.frames_capacity = WASMTRAP_MAX_FRAMES;
  same(wasmtrap_call(wasm_call_import.function, &outer, &trap), WASMTRAP_TRAPPED, "a trap on a fiber");
  same(trap.frame_count, 3, "has three frames");
  same(frames[0], wasm_fault_pc(&wasm_load), "the load");
  same(frames[1], wasm_fault_pc(&wasm_call_import), "its caller");
  same(frames[2], wasm_fault_pc(&wasm_call_import), "and the caller of that");
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  host_register_code(&wasm_call_import);
  page = inaccessible_page();
  fiber_resume(fiber_new(on_fiber, NULL));
  return tap_done();
}
