/* Trap records name the module and the memory that trapped, whatever trapped before. */
#include "caller.h"
#include "memory.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_memory, wasm_module_caller;

void Z_hostZ_enter(struct Z_host_instance_t *host, u32 what) {
  (void)host;
  (void)what;
}

WASM_FUNCTION(memory, load)
WASM_FUNCTION(caller, load)
WASM_INSTANTIATE(memory, (instance))
WASM_INSTANTIATE(caller, (instance, NULL))

static void traps_in(wasmtrap_function_t load, void *instance, const wasm_rt_memory_t *memory, uint32_t address,
                     const wasm_rt_wasmtrap_module_t *module, uint64_t id) {
  wasmtrap_trap_t trap;
  trapped_in(wasm_host_call(load, instance, address, NULL, &trap), &trap, memory, address, module->name);
  same(trap.code_id, id, "the code's id is %s's", module->name);
  ok(trap.code_user == module, "the code's user pointer is %s's", module->name);
  const wasm_rt_wasmtrap_symbol_t *symbol = wasm_rt_wasmtrap_module_symbol(module, trap.code_offset);
  same_text(symbol == NULL ? "" : symbol->name, "load", "the function is known by its name");
}

int main(void) {
  static Z_memory_instance_t first, second;
  static Z_caller_instance_t third;
  wasm_host_set_up();
  const uint64_t memory_id = wasm_host_add(&wasm_module_memory);
  const uint64_t caller_id = wasm_host_add(&wasm_module_caller);
  Z_memory_init_module();
  Z_caller_init_module();
  wasm_host_result(instantiate_memory, &first, 0);
  wasm_host_result(instantiate_memory, &second, 0);
  wasm_host_result(instantiate_caller, &third, 0);

  for (uint32_t address = 65536; address < 65539; address++) {
    traps_in(load_of_memory, &first, Z_memoryZ_memory(&first), address, &wasm_module_memory, memory_id);
    traps_in(load_of_caller, &third, Z_callerZ_memory(&third), address, &wasm_module_caller, caller_id);
    traps_in(load_of_memory, &second, Z_memoryZ_memory(&second), address, &wasm_module_memory, memory_id);
  }
  Z_memory_free(&first);
  Z_memory_free(&second);
  Z_caller_free(&third);
  return tap_done();
}
