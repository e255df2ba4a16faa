/* A module that was compiled with the header of another wabt, whose structures are others, is not registered. */
#include "memory.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_memory;

int main(void) {
  wasm_host_set_up();
  wasm_rt_wasmtrap_module_t other = wasm_module_memory;
  uint64_t id = 0;
  other.layout ^= 1;
  same(wasm_rt_wasmtrap_module_register(&other, &id), WASMTRAP_ERR_UNSUPPORTED, "another runtime's");
  other.layout ^= 1 | 8u << 1;
  same(wasm_rt_wasmtrap_module_register(&other, &id), WASMTRAP_ERR_UNSUPPORTED, "another memory");
  wasmtrap_code_info_t code = {.struct_size = sizeof code};
  same(wasmtrap_code_lookup(wasm_module_memory.code_start, &code), WASMTRAP_ERR_NOT_FOUND, "nothing is registered");
  other.layout ^= 8u << 1;
  same(wasm_rt_wasmtrap_module_register(&other, &id), WASMTRAP_OK, "its own");
  same(wasmtrap_code_unregister(id), WASMTRAP_OK, "and it goes");
  return tap_done();
}
