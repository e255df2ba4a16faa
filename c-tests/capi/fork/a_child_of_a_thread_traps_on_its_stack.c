/* A child that a thread has forked is that thread alone, on the stack that the thread was made with: its stack overflow
 * is a trap in the child, whether the thread was attached before or comes to the library only there. */
#include <pthread.h>

#include "host.h"
#include "process.h"

static void *page;

static void overflow(const char *name) {
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_recurse, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, name);
  same(trap.flags & WASMTRAP_HAS_STACK_GUARD, WASMTRAP_HAS_STACK_GUARD, "... in the guard area of the stack");
}

static void in_the_child(void *unused) {
  (void)unused;
  for (int i = 0; i < 3; i++) {
    wasmtrap_trap_t trap;
    trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a load");
    overflow("an overflow in the child");
  }
}

static void *fork_here(void *attach_first) {
  if (attach_first != NULL) overflow("an overflow before the fork");
  child_passes(in_the_child, NULL, attach_first != NULL ? "attached before the fork" : "attached in the child");
  return NULL;
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  host_register_code(&wasm_recurse);
  page = inaccessible_page();
  for (int attached = 0; attached < 2; attached++) {
    pthread_t thread;
    must(pthread_create(&thread, NULL, fork_here, attached ? &page : NULL) == 0);
    must(pthread_join(thread, NULL) == 0);
  }
  return tap_done();
}
