/* Instantiation that traps half-way leaves an instance that can be freed; nothing of it stays registered. */
#include "placed.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_placed;

struct w2c_host {
  uint32_t place;
};

u32 *w2c_host_place(struct w2c_host *host) { return &host->place; }

static struct w2c_host host;
WASM_INSTANTIATE(placed, (instance, &host))

int main(void) {
  static w2c_placed instance;
  wasmtrap_trap_t trap;
  wasm_host_set_up();
  wasm_host_add(&wasm_module_placed);

  /* Far more often than an address space has room for memories that are not given back. */
  int trapped = 0;
  for (int i = 0; i < 20000; i++) {
    host.place = 65536 - 5;
    trapped += wasm_host_call(instantiate_placed, &instance, 0, NULL, &trap) == WASMTRAP_TRAPPED &&
               trap.code == WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS;
    wasm2c_placed_free(&instance);
  }
  same(trapped, 20000, "data past the end of the memory");

  host.place = 65536 - 6;
  same(wasm_host_call(instantiate_placed, &instance, 0, NULL, &trap), WASMTRAP_OK, "data at its very end");
  same(w2c_placed_memory(&instance)->data[65535], 'd', "the data is there");
  wasm2c_placed_free(&instance);
  return tap_done();
}
