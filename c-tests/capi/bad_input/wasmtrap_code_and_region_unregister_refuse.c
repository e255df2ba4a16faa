/* wasmtrap_code_unregister and wasmtrap_region_unregister want an id that was given out and is still in use. */
#include <stdio.h>

#include "host.h"
#include "refusal.h"

typedef wasmtrap_status_t (*unregister_t)(uint64_t id);

static void refuse(unregister_t unregister, uint64_t id, const char *name) {
  char value[32];
  snprintf(value, sizeof value, "%llu", (unsigned long long)id);
  refused(unregister(id), WASMTRAP_ERR_UNKNOWN_ID, "id", value, name);
}

static void refuse_all(unregister_t unregister, uint64_t in_use, uint64_t gone) {
  remember_state();
  refuse(unregister, 0, "0 is never an id");
  refuse(unregister, UINT64_MAX, "an id that was never given out");
  refuse(unregister, in_use + 1000000, "one that is not given out yet");
  refuse(unregister, in_use | UINT64_C(0x100000000), "one that differs in its upper half");
  refuse(unregister, in_use | UINT64_C(0x8000000000000000), "one that differs in its highest bit");
  refuse(unregister, gone, "one that was unregistered before");
  refuse(unregister, gone, "and again");
  for (uint64_t id = gone + 1; id < gone + 50; id++) {
    if (id != in_use) refuse(unregister, id, "one nearby");
  }
}

int main(void) {
  host_init();
  const uint64_t code_gone = host_register_code(&wasm_load);
  must(wasmtrap_code_unregister(code_gone) == WASMTRAP_OK);
  const uint64_t code = host_register_code(&wasm_load);
  void *const page = inaccessible_page();
  const uint64_t region_gone = host_register_region(page, page_size(), WASMTRAP_CODE_NONE);
  must(wasmtrap_region_unregister(region_gone) == WASMTRAP_OK);
  const uint64_t region = host_register_region(page, page_size(), WASMTRAP_CODE_INTERRUPT);

  refuse_all(wasmtrap_code_unregister, code, code_gone);
  refuse_all(wasmtrap_region_unregister, region, region_gone);
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_INTERRUPT, "both are still registered");
  ok(trap.code_id == code && trap.region_id == region, "under their ids");
  same(wasmtrap_code_unregister(code), WASMTRAP_OK, "and can be unregistered");
  same(wasmtrap_region_unregister(region), WASMTRAP_OK, "both");
  return tap_done();
}
