/* Whatever the fault handler does to the machine, the code that faulted finds all of its registers as they were:
 * general ones, flags, floating-point and vector registers with their control words, and the red zone. */
#include "backend.h"
#include "cases.h"
#include "machine_state.h"

static volatile int calls;

static wasmtrap_verdict_t spoils_and_mends(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  calls++;
  spoil_machine_state();
  make_accessible((void *)(uintptr_t)fault->fault_address);
  return WASMTRAP_VERDICT_RESUME;
}

static void init(void) {
  init_mach_ports(0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(spoils_and_mends, NULL) == WASMTRAP_OK);
}

static void all_registers(void) {
  init();
  uint64_t *const page = (uint64_t *)(void *)inaccessible_page();
  for (int i = 0; i < 20; i++) {
    machine_state_t before, after;
    load_between_machine_states(page, &before, &after);
    if (!ok(first_difference(&before, &after) == NULL, "time %d: all is as it was", i)) {
      tap_note("differs: %s", first_difference(&before, &after));
      break;
    }
    make_inaccessible(page);
  }
  same(calls, 20, "the handler was asked each time");
}

static void the_red_zone(void) {
  init();
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load_in_leaf.function(&access);
  same(access.value, WASM_RED_ZONE_INTACT, "the red zone is as it was");
  same(calls, 1, "the handler was asked");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"registers of all kinds", all_registers, 0},
      {"the red zone", the_red_zone, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
