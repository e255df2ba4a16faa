/* Every function that needs wasmtrap_init says so before it, and after wasmtrap_shutdown: WASMTRAP_ERR_NOT_INITIALIZED,
 * with all outputs untouched and without running anything. The others work. */
#include <string.h>

#include "host.h"
#include "refusal.h"

static int runs;

static void count_runs(void *unused) {
  (void)unused;
  runs++;
}

static wasmtrap_verdict_t forward(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  return WASMTRAP_VERDICT_FORWARD;
}

static void not_initialized(wasmtrap_status_t status, const void *output, size_t size, const char *name) {
  refused(status, WASMTRAP_ERR_NOT_INITIALIZED, "wasmtrap_init", NULL, name);
  ok(output == NULL || untouched(output, size), "... and leaves its outputs alone");
}

static void try_all(uint64_t known_code, uint64_t known_region) {
  remember_state();
  union {
    uint64_t id;
    uint32_t kinds;
    wasmtrap_backend_t backend;
    wasmtrap_chain_t *chain;
  } out;
  fill(&out, sizeof out);

  not_initialized(wasmtrap_backend(&out.backend), &out, sizeof out, "wasmtrap_backend");
  not_initialized(wasmtrap_check(&out.kinds), &out, sizeof out, "wasmtrap_check");
  not_initialized(wasmtrap_rearm(), NULL, 0, "wasmtrap_rearm");
  not_initialized(wasmtrap_thread_attach(), NULL, 0, "wasmtrap_thread_attach");

  wasmtrap_code_desc_t code = {0};
  code.struct_size = sizeof code;
  code.start = wasm_load.start;
  code.length = wasm_load.length;
  not_initialized(wasmtrap_code_register(&code, &out.id), &out, sizeof out, "wasmtrap_code_register");
  not_initialized(wasmtrap_code_unregister(known_code), NULL, 0, "wasmtrap_code_unregister");
  wasmtrap_code_info_t info;
  fill(&info, sizeof info);
  info.struct_size = sizeof info;
  const wasmtrap_code_info_t info_before = info;
  not_initialized(wasmtrap_code_lookup(wasm_load.start, &info), NULL, 0, "wasmtrap_code_lookup");
  ok(memcmp(&info, &info_before, sizeof info) == 0, "... and leaves its outputs alone");
  wasmtrap_region_desc_t region = {0};
  region.struct_size = sizeof region;
  region.base = &region;
  region.length = 1;
  not_initialized(wasmtrap_region_register(&region, &out.id), &out, sizeof out, "wasmtrap_region_register");
  not_initialized(wasmtrap_region_unregister(known_region), NULL, 0, "wasmtrap_region_unregister");

  wasmtrap_trap_t trap;
  fill(&trap, sizeof trap);
  trap.struct_size = sizeof trap;
  const wasmtrap_trap_t trap_before = trap;
  not_initialized(wasmtrap_call(count_runs, NULL, &trap), NULL, 0, "wasmtrap_call");
  ok(memcmp(&trap, &trap_before, sizeof trap) == 0, "... and leaves the trap record alone");
  not_initialized(wasmtrap_call(count_runs, NULL, NULL), NULL, 0, "wasmtrap_call without a record");
  same(runs, 0, "... and does not run the function");
  not_initialized(wasmtrap_chain_detach(&out.chain), &out, sizeof out, "wasmtrap_chain_detach");
  not_initialized(wasmtrap_chain_attach(NULL, NULL), NULL, 0, "wasmtrap_chain_attach");
  not_initialized(wasmtrap_set_fault_handler(forward, NULL), NULL, 0, "wasmtrap_set_fault_handler");
  not_initialized(wasmtrap_set_fault_handler(NULL, NULL), NULL, 0, "wasmtrap_set_fault_handler to none");

  same(wasmtrap_thread_detach(), WASMTRAP_OK, "wasmtrap_thread_detach is allowed");
}

static void nothing(void *unused) { (void)unused; }

int main(void) {
  try_all(1, 1);
  host_init();
  const uint64_t code = host_register_code(&wasm_store);
  void *const page = inaccessible_page();
  const uint64_t region = host_register_region(page, page_size(), WASMTRAP_CODE_NONE);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_call(nothing, NULL, NULL) == WASMTRAP_OK);
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  tap_note("after wasmtrap_shutdown, on a thread that has made calls and is still attached");
  try_all(code, region);
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "a thread may detach after wasmtrap_shutdown");
  try_all(code, region);

  host_init();
  remember_state();
  refused(wasmtrap_code_unregister(code), WASMTRAP_ERR_UNKNOWN_ID, "id", NULL, "an id from before wasmtrap_shutdown");
  refused(wasmtrap_region_unregister(region), WASMTRAP_ERR_UNKNOWN_ID, "id", NULL, "the same of a region");
  const uint64_t new_code = host_register_code(&wasm_store);
  ok(new_code != code, "and it is not given out again");
  ok(library_traps(), "a trap is a trap");
  return tap_done();
}
