#include "trapping.h"

#include "host.h"

static const void *page;

int trapping_init(void) { return wasmtrap_init(NULL); }

int trapping_start(void) {
  wasmtrap_code_desc_t desc = {.struct_size = sizeof desc, .start = wasm_load.start, .length = wasm_load.length};
  uint64_t id;
  page = inaccessible_page();
  return wasmtrap_code_register(&desc, &id);
}

long trapping_run(long count) {
  long trapped = 0;
  for (long i = 0; i < count; i++) {
    wasm_access_t access = {.address = address_of(page)};
    wasmtrap_trap_t trap = {.struct_size = sizeof trap};
    trapped += wasmtrap_call(wasm_load.function, &access, &trap) == WASMTRAP_TRAPPED &&
               trap.fault_address == address_of(page);
  }
  return trapped;
}
