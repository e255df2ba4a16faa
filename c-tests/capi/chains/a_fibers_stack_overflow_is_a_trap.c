/* The guard of the stack that a chain was attached with counts as the thread's own: an overflow of a fiber's stack is
 * "call stack exhausted", even in a strict range. Back on the thread's stack, its own guard counts again. */
#include "fiber.h"
#include "host.h"

static void overflow(const char *name) {
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_recurse, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, name);
  ok((trap.flags & WASMTRAP_HAS_STACK_GUARD) != 0, "... in the guard area of the stack");
}

static void on_fiber(fiber_t *fiber, void *unused) {
  (void)unused;
  for (int i = 0; i < 3; i++) {
    overflow("on a fiber's stack");
    fiber_yield(fiber);
  }
}

#if !defined(_WIN32) /* There the guard of a stack is the system's, which tells. */
/* A stack whose guard is not told: it is a region of its own, or a crash. */
static void on_fiber_without_guard(fiber_t *fiber, void *unused) {
  (void)unused;
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_recurse, &access, &trap), &trap, WASMTRAP_CODE_USER + 3, "a guard that is a region");
  same(trap.flags & WASMTRAP_HAS_STACK_GUARD, 0, "... is not the thread's");
  ok(trap.region_offset < page_size(), "... but the region's");
  fiber_yield(fiber);
}
#endif

int main(void) {
  host_init();
  host_register_strict_code(&wasm_recurse);
  overflow("on the thread's stack");
  fiber_t *const one = fiber_new(on_fiber, NULL);
  fiber_t *const other = fiber_new(on_fiber, NULL);
  for (int i = 0; i < 3; i++) {
    fiber_resume(one);
    fiber_resume(other);
    overflow("back on the thread's stack");
  }

#if !defined(_WIN32)
  fiber_t *const undeclared = fiber_new(on_fiber_without_guard, NULL);
  host_register_region(undeclared->memory, page_size(), WASMTRAP_CODE_USER + 3);
  undeclared->stack.guard_size = 0;
  fiber_resume(undeclared);
  overflow("back on the thread's stack");
#endif
  return tap_done();
}
