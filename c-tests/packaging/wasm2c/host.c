/* A user's host: loads from past the end of a module's memory, and says what came of it. */
#include <stdio.h>

#include "memory.h"
#include "wasm_rt_wasmtrap.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_memory;

static w2c_memory instance;

static void run(void *address) {
  wasm2c_memory_instantiate(&instance);
  w2c_memory_load(&instance, *(uint32_t *)address);
}

int main(void) {
  uint64_t id;
  uint32_t address = 70000;
  wasmtrap_trap_t trap = {.struct_size = sizeof trap};
  if (wasmtrap_init(NULL) != WASMTRAP_OK) return 1;
  wasm_rt_init();
  if (wasm_rt_wasmtrap_module_register(&wasm_module_memory, &id) != WASMTRAP_OK) return 1;
  if (wasm_rt_wasmtrap_call(run, &address, &trap) != WASMTRAP_TRAPPED) return 1;
  printf("%s at address %zu\n", wasmtrap_code_name(trap.code), trap.region_offset);
  wasm2c_memory_free(&instance);
  return 0;
}
