/* Protected calls nest, WebAssembly in host in WebAssembly, as deep as the stack: a trap ends the innermost one, and
 * whoever made that call decides. */
#include "host.h"

enum { DEPTH = 100 };

typedef struct level_t {
  int number;
  int trapped_below;
  int returned_below;
  int traps_itself;
} level_t;

static level_t levels[DEPTH];
static void *page;

/* Makes a protected call of the next level, in WebAssembly that calls back; then traps itself, or returns. */
static void run_level(void *argument) {
  level_t *const level = argument;
  if (level->number + 1 < DEPTH) {
    wasm_import_t import = {run_level, level + 1};
    wasmtrap_trap_t trap;
    const wasmtrap_status_t status = host_call(&wasm_call_import, &import, &trap);
    level->trapped_below = status == WASMTRAP_TRAPPED && trap.code == WASMTRAP_CODE_USER + (uint32_t)level->number + 1;
    level->returned_below = status == WASMTRAP_OK;
  }
  if (level->traps_itself) wasmtrap_raise(WASMTRAP_CODE_USER + (uint32_t)level->number, 0);
}

static void run_all(int every) {
  for (int i = 0; i < DEPTH; i++) levels[i] = (level_t){i, 0, 0, i % every == 0};
  wasm_import_t import = {run_level, levels};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_call_import, &import, &trap), &trap, WASMTRAP_CODE_USER, "the outermost call traps");
  int right = 0;
  for (int i = 0; i + 1 < DEPTH; i++) {
    if (levels[i].trapped_below == levels[i + 1].traps_itself && levels[i].returned_below != levels[i].trapped_below) {
      right++;
    }
  }
  same(right, DEPTH - 1, "each of the others saw just what the one below did");
}

static volatile int went_on;

static void inner_faults(void *unused) {
  (void)unused;
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "the inner call");
  went_on = 1;
  wasm_access_t access = {address_of(page) + 8, 0};
  wasm_load.function(&access);
  went_on = 2;
}

int main(void) {
  host_init();
  host_register_code(&wasm_call_import);
  host_register_code(&wasm_load);
  page = inaccessible_page();
  run_all(1);
  run_all(2);
  run_all(7);

  wasm_import_t import = {inner_faults, NULL};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_call_import, &import, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "after the inner call's trap, a fault is the outer call's");
  same(went_on, 1, "the host went on after the first, and not after the second");
  same(trap.fault_address, address_of(page) + 8, "it is the second fault");
  return tap_done();
}
