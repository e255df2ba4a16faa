/* Addresses of 64 bits are compared with the size: no address reaches anything but the memory, and what is past its end
 * is a trap, before and after growth. */
#include "wasm_host.h"
#include "wide.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_wide;

static w2c_wide instance;

typedef struct {
  uint64_t address;
  uint64_t result;
} access_t;

static void instantiate(void *unused) {
  (void)unused;
  wasm2c_wide_instantiate(&instance);
}

static void load(void *argument) {
  access_t *access = argument;
  access->result = w2c_wide_load(&instance, access->address);
}

static void store(void *argument) { w2c_wide_store(&instance, ((access_t *)argument)->address); }

static void grow(void *argument) {
  access_t *access = argument;
  access->result = w2c_wide_grow(&instance, access->address);
}

static void traps(void (*access)(void *), uint64_t address, const char *name) {
  access_t argument = {address, 0};
  wasmtrap_trap_t trap = {.struct_size = sizeof trap};
  trapped_with(wasm_rt_wasmtrap_call(access, &argument, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, name);
}

static void ends_at(uint64_t size) {
  access_t last = {size - 8, 1};
  same(wasm_rt_wasmtrap_call(load, &last, NULL), WASMTRAP_OK, "the last eight bytes");
  same(last.result, 0, "are zero");
  traps(load, size - 7, "a byte too far");
  traps(store, size, "the end");
  traps(store, UINT64_C(1) << 33, "8 GiB");
  traps(load, UINT64_C(1) << 40, "1 TiB");
  traps(store, UINT64_MAX, "the last address");
}

int main(void) {
  wasm_host_set_up();
  wasm_host_add(&wasm_module_wide);
  must(wasm_rt_wasmtrap_call(instantiate, NULL, NULL) == WASMTRAP_OK);
  ends_at(65536);
  access_t growth = {2, 0};
  must(wasm_rt_wasmtrap_call(grow, &growth, NULL) == WASMTRAP_OK);
  same(growth.result, 1, "it grows");
  ends_at(3 * 65536);
  growth.address = UINT64_C(1) << 47;
  must(wasm_rt_wasmtrap_call(grow, &growth, NULL) == WASMTRAP_OK);
  ok(growth.result == UINT64_MAX, "and not beyond what there is");
  wasm2c_wide_free(&instance);
  return tap_done();
}
