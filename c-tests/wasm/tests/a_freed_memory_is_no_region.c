/* Freeing a memory unregisters its region: a fault at the same address is a crash again, and the place can be used by
 * another. */
#include <signal.h>
#include <sys/mman.h>

#include "memory.h"
#include "process.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_memory;

WASM_FUNCTION(memory, load)
WASM_INSTANTIATE(memory, (instance))

static w2c_memory instance;

static void load_from_where_it_was(void *data) {
  /* An instance whose memory says that it is there, as a module would have it that was freed too early. */
  w2c_memory_memory(&instance)->data = data;
  wasm_host_call(load_of_memory, &instance, 0, NULL, NULL);
}

int main(void) {
  wasm_host_set_up();
  wasm_host_add(&wasm_module_memory);
  wasm_host_result(instantiate_memory, &instance, 0);
  uint8_t *data = w2c_memory_memory(&instance)->data;

  wasmtrap_region_desc_t page = {.struct_size = sizeof page, .base = data, .length = 65536};
  uint64_t id = 0;
  same(wasmtrap_region_register(&page, &id), WASMTRAP_ERR_OVERLAP, "the memory's place is taken");
  wasm2c_memory_free(&instance);
  same(wasmtrap_region_register(&page, &id), WASMTRAP_OK, "its place is free when the memory is");
  same(wasmtrap_region_unregister(id), WASMTRAP_OK, "and can be given back");
  child_dies_of(SIGSEGV, load_from_where_it_was, data, "a load from there is no trap");

  wasm2c_memory_free(&instance);
  ok(w2c_memory_memory(&instance)->data == NULL, "a memory that is free can be freed");
  wasm_host_result(instantiate_memory, &instance, 0);
  wasmtrap_trap_t trap;
  trapped_in(wasm_host_call(load_of_memory, &instance, 65536, NULL, &trap), &trap, w2c_memory_memory(&instance), 65536,
             "an instance made anew traps as ever");
  wasm2c_memory_free(&instance);
  return tap_done();
}
