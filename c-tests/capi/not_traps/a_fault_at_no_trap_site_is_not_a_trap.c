/* Where the code came with a table of trap sites, only those instructions trap; a table without sites makes none. */
#include <signal.h>

#include "host.h"
#include "process.h"

typedef struct table_t {
  wasmtrap_site_t sites[2];
  size_t count;
  const wasm_code_t *code;
} table_t;

static void run(void *argument) {
  const table_t *const table = argument;
  host_init();
  host_register_code_with_sites(table->code, table->sites, table->count, 0);
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(table->code, &access, &trap), &trap, WASMTRAP_CODE_UNDEFINED_ELEMENT, "it trapped");
}

int main(void) {
  const uint32_t fault = (uint32_t)wasm_load.fault;
  const size_t pc = wasm_fault_pc(&wasm_load);
  table_t at_the_fault = {{{fault, WASMTRAP_CODE_UNDEFINED_ELEMENT}, {0, 0}}, 1, &wasm_load};
  table_t around_it = {
      {{fault - 1, WASMTRAP_CODE_UNREACHABLE}, {fault + 1, WASMTRAP_CODE_UNREACHABLE}}, 2, &wasm_load};
  table_t without_sites = {{{0, 0}, {0, 0}}, 0, &wasm_load};
  table_t illegal_instruction = {{{1, WASMTRAP_CODE_UNREACHABLE}, {0, 0}}, 1, &wasm_unreachable};

  child_passes(run, &at_the_fault, "a site at the instruction makes a trap of it");
  child_dies_at(SIGSEGV, pc, run, &around_it, "sites one byte before and one byte behind it");
  child_dies_at(SIGSEGV, pc, run, &without_sites, "a table without sites");
  child_dies_at(SIGILL, wasm_fault_pc(&wasm_unreachable), run, &illegal_instruction,
                "an illegal instruction that is no site");
  return tap_done();
}
