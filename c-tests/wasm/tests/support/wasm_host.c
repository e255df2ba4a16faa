#include "wasm_host.h"

#include <string.h>

void wasm_host_set_up(void) {
  must(wasmtrap_init(NULL) == WASMTRAP_OK);
  wasm_rt_init();
  must(wasm_rt_is_initialized());
}

uint64_t wasm_host_add(const wasm_rt_wasmtrap_module_t *module) {
  uint64_t id = 0;
  must(wasm_rt_wasmtrap_module_register(module, &id) == WASMTRAP_OK);
  return id;
}

wasmtrap_status_t wasm_host_call(wasmtrap_function_t function, void *instance, uint32_t argument, uint32_t *result,
                                 wasmtrap_trap_t *trap) {
  wasm_call_t call = {.instance = instance, .argument = argument};
  if (trap != NULL) {
    memset(trap, 0, sizeof *trap);
    trap->struct_size = sizeof *trap;
  }
  const wasmtrap_status_t status = wasm_rt_wasmtrap_call(function, &call, trap);
  if (status == WASMTRAP_OK && result != NULL) *result = call.result;
  return status;
}

uint32_t wasm_host_result(wasmtrap_function_t function, void *instance, uint32_t argument) {
  uint32_t result = 0;
  must(wasm_host_call(function, instance, argument, &result, NULL) == WASMTRAP_OK);
  return result;
}

int trapped_with(wasmtrap_status_t status, const wasmtrap_trap_t *trap, wasmtrap_code_t code, const char *name) {
  return ok(status == WASMTRAP_TRAPPED && trap->code == code, "%s: status %d, %s", name, (int)status,
            wasmtrap_code_name(trap->code));
}

int trapped_in(wasmtrap_status_t status, const wasmtrap_trap_t *trap, const wasm_rt_memory_t *memory, uint64_t address,
               const char *name) {
  return ok(status == WASMTRAP_TRAPPED && trap->code == WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS &&
                (trap->flags & WASMTRAP_HAS_REGION) != 0 && trap->region_user == memory &&
                trap->region_offset == address,
            "%s: status %d, %s at %#zx", name, (int)status, wasmtrap_code_name(trap->code), trap->region_offset);
}
