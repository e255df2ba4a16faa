/* The sum of a 64-bit address and an offset that is past the last address is a trap, and not another address. */
#include "far.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_far;

static w2c_far instance;

static void instantiate(void *unused) {
  (void)unused;
  wasm2c_far_instantiate(&instance);
}

static void load(void *address) { w2c_far_load(&instance, *(uint64_t *)address); }

int main(void) {
  wasm_host_set_up();
  wasm_host_add(&wasm_module_far);
  must(wasm_rt_wasmtrap_call(instantiate, NULL, NULL) == WASMTRAP_OK);
  static uint64_t addresses[] = {0, 15, 16, 24, 65536, UINT64_MAX};
  for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
    wasmtrap_trap_t trap = {.struct_size = sizeof trap};
    trapped_with(wasm_rt_wasmtrap_call(load, &addresses[i], &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
                 "an address near the last");
  }
  wasm2c_far_free(&instance);
  return tap_done();
}
