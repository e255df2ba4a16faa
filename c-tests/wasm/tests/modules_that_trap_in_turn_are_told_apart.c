/* Trap records name the module and the memory that trapped, whatever trapped before. */
#include "caller.h"
#include "memory.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_memory, wasm_module_caller;

void w2c_host_enter(struct w2c_host *host, u32 what) {
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
  static w2c_memory first, second;
  static w2c_caller third;
  wasm_host_set_up();
  const uint64_t memory_id = wasm_host_add(&wasm_module_memory);
  const uint64_t caller_id = wasm_host_add(&wasm_module_caller);
  wasm_host_result(instantiate_memory, &first, 0);
  wasm_host_result(instantiate_memory, &second, 0);
  wasm_host_result(instantiate_caller, &third, 0);

  for (uint32_t address = 65536; address < 65539; address++) {
    traps_in(load_of_memory, &first, w2c_memory_memory(&first), address, &wasm_module_memory, memory_id);
    traps_in(load_of_caller, &third, w2c_caller_memory(&third), address, &wasm_module_caller, caller_id);
    traps_in(load_of_memory, &second, w2c_memory_memory(&second), address, &wasm_module_memory, memory_id);
  }
  wasm2c_memory_free(&first);
  wasm2c_memory_free(&second);
  wasm2c_caller_free(&third);
  return tap_done();
}
