/* WebAssembly that grows its table and its memory on ever less stack traps: the runtime and the C library below it
 * never run into the guard, because generated code asks for the stack that they need. */
#include <pthread.h>

#include "growing.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_growing;

WASM_ACTION(growing, grow_ever_deeper)
WASM_INSTANTIATE(growing, (instance))

static w2c_growing instance;

static void *overflow(void *pages) {
  wasmtrap_trap_t trap;
  trapped_with(wasm_host_call(grow_ever_deeper_of_growing, &instance, *(uint32_t *)pages, NULL, &trap), &trap,
               WASMTRAP_CODE_STACK_OVERFLOW, *(uint32_t *)pages == 0 ? "by nothing" : "by a page each time");
  ok((trap.flags & WASMTRAP_HAS_STACK_GUARD) != 0, "in the guard area");
  return NULL;
}

int main(void) {
  wasm_host_set_up();
  wasm_host_add(&wasm_module_growing);

  /* Stacks that end at every place that a frame can have. */
  for (size_t i = 0; i < 24; i++) {
    uint32_t pages = i % 2;
    wasm_host_result(instantiate_growing, &instance, 0);
    pthread_attr_t attributes;
    pthread_t thread;
    must(pthread_attr_init(&attributes) == 0);
    must(pthread_attr_setstacksize(&attributes, (192 << 10) + i * 4096) == 0);
    must(pthread_create(&thread, &attributes, overflow, &pages) == 0);
    must(pthread_join(thread, NULL) == 0);
    wasm2c_growing_free(&instance);
  }
  return tap_done();
}
