/* A trap says which memory of a module it was past the end of. */
#include "several.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_several;

WASM_FUNCTION(several, load_first)
WASM_FUNCTION(several, load_second)
WASM_INSTANTIATE(several, (instance))

int main(void) {
  static w2c_several instance;
  wasmtrap_trap_t trap;
  wasm_host_set_up();
  wasm_host_add(&wasm_module_several);
  wasm_host_result(instantiate_several, &instance, 0);
  same(wasm_host_result(load_second_of_several, &instance, 131071), 0, "the second is larger");
  static const uint32_t beyond[] = {131072, 0x80000000, 0xffffffff};
  for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
    trapped_in(wasm_host_call(load_first_of_several, &instance, beyond[i], NULL, &trap), &trap,
               w2c_several_first(&instance), beyond[i], "past the first");
    trapped_in(wasm_host_call(load_second_of_several, &instance, beyond[i], NULL, &trap), &trap,
               w2c_several_second(&instance), beyond[i], "past the second");
  }
  wasm2c_several_free(&instance);
  return tap_done();
}
