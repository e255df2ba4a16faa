/* An engine that had exception ports before the library gets each fault of its own as the kernel would have brought it,
 * in the behavior and code size that it asked for, and handles it; the library is back at the next protected call. */
#include <signal.h>
#include <string.h>

#include "backend.h"
#include "cases.h"
#include "engine.h"
#include "host_rules.h"
#include "thread_ports.h"

static void handles_its_own(const engine_behavior_t *behavior, own_fault_t fault) {
  engine_t engine;
  engine_start(&engine, ENGINE_MENDS);
  must(engine_takes_thread(&engine, ALL_EXCEPTIONS, behavior->behavior) == KERN_SUCCESS);
  const thread_ports_t before = thread_ports_now();
  task_rights_t rights;
  memset(&rights, 0, sizeof rights);
  engine_report_t reports[4];
  for (int i = 0; i < 4; i++) {
    if (i == 1) {
      rights = task_rights_now();
      init_mach_ports(HOST_ALL_KINDS);
    }
    if (i > 0) {
      traps_by_ports("the library is on top");
      ok(exception_port_now(EXC_BAD_ACCESS) != engine.port, "with its port");
    }
    make_own_fault(&engine, fault);
    reports[i] = *engine_last(&engine);
    same(engine_count(&engine), i + 1, "%s, time %d: the engine was asked once", own_fault_names[fault], i);
    if (i == 0) continue;
    same_engine_reports(&reports[i], &reports[0], own_fault_names[fault]);
    same(reports[i].exception, own_fault_exception(fault), "it is what it is");
    if (reports[i].state_count > 0) same(engine_state_pc(&reports[i]), own_fault_pc(fault), "where it was");
    const thread_ports_t now = thread_ports_now();
    same_thread_ports(&now, &before, "its ports are back on the thread");
  }
  traps_by_ports("the library is on top again");
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  const thread_ports_t after = thread_ports_now();
  same_thread_ports(&after, &before, "after detaching the engine has what it had");
  make_own_fault(&engine, fault);
  same(engine_count(&engine), 5, "and its faults");
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  same_task_rights(&rights, "no right is left");
}

static void all_faults(int number) {
  const engine_behavior_t *const behavior = &engine_behaviors[number];
  const char *const missing = engine_behavior_missing(behavior);
  if (missing != NULL) skip_case(missing);
  for (own_fault_t fault = 0; fault < OWN_FAULTS; fault++) {
    if (own_fault_exists(fault)) handles_its_own(behavior, fault);
  }
}

static void default_64(void) { all_faults(0); }
static void state_64(void) { all_faults(1); }
static void state_identity_64(void) { all_faults(2); }
static void identity_protected(void) { all_faults(3); }
static void state_identity_protected(void) { all_faults(4); }
static void default_32(void) { all_faults(5); }
static void state_32(void) { all_faults(6); }
static void state_identity_32(void) { all_faults(7); }

/* The code that faults has a pattern in each. */
static void every_register(void) {
  if (state_is_forbidden()) skip_case("EXCEPTION_STATE, which shows them, is not put back here");
  engine_t engine;
  engine_start(&engine, ENGINE_LANDS);
  must(engine_takes_thread(&engine, ALL_EXCEPTIONS, harmless_behavior()) == KERN_SUCCESS);
  make_clobbered_fault(&engine);
  const engine_report_t without = *engine_last(&engine);
  init_mach_ports(HOST_ALL_KINDS);
  for (int i = 0; i < 10; i++) {
    traps_by_ports("the library is on top");
    make_clobbered_fault(&engine);
    const engine_report_t with = *engine_last(&engine);
    same_engine_states(&with, &without);
  }
  same(engine_count(&engine), 11, "asked once about each");
}

/* A host function that WebAssembly has called faults in the engine's code; the engine mends it and WebAssembly goes on.
 * A trap before the next protected call comes as a signal: the engine, which is in place, declines it. */
static engine_t *import_engine;

static void faulting_import(void *unused) {
  (void)unused;
  make_own_fault(import_engine, OWN_ILLEGAL);
}

typedef struct nested_t {
  wasm_import_t import;
  void *page;
} nested_t;

static void import_then_trap(void *argument) {
  nested_t *const nested = argument;
  wasm_call_import.function(&nested->import);
  wasm_access_t access = {address_of(nested->page), 0};
  wasm_load.function(&access);
}

static kern_return_t takes_illegal_only(engine_t *engine) {
  return engine_takes_thread(engine, EXC_MASK_BAD_INSTRUCTION, harmless_behavior());
}

static void a_trap_in_the_meantime(void) {
  engine_t engine, decliner;
  engine_start(&engine, ENGINE_MENDS);
  engine_start(&decliner, ENGINE_DECLINES);
  import_engine = &engine;
  must(takes_illegal_only(&engine) == KERN_SUCCESS);
  must(engine_takes_thread(&decliner, EXC_MASK_BAD_ACCESS, harmless_behavior()) == KERN_SUCCESS);
  init_mach_ports(HOST_ALL_KINDS);
  host_register_code(&wasm_call_import);
  host_register_code(&wasm_load);
  nested_t nested = {{faulting_import, NULL}, inaccessible_page()};
  for (int i = 0; i < 10; i++) {
    wasmtrap_trap_t trap = host_new_trap();
    const wasmtrap_status_t status = wasmtrap_call(import_then_trap, &nested, &trap);
    trapped_with(status, &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "the trap comes all the same");
    ok(trap.signal != 0 && trap.exception == 0, "as a signal");
    same(engine_count(&engine), i + 1, "the engine mended its own fault");
    same(engine_count(&decliner), i + 1, "the one that was in place declined the trap");
    traps_by_ports("and the next call has the ports again");
    same(engine_count(&decliner), i + 1, "of which the engines hear nothing");
  }
}

static void breaking_import(void *unused) {
  (void)unused;
  make_own_fault(import_engine, OWN_BREAKPOINT);
}

/* A fault of a type that the engine has not asked for goes to the next level: nothing is put back for it. */
static void a_fault_of_another_type(void) {
  engine_t engine, reporter;
  engine_start(&engine, ENGINE_MENDS);
  engine_start_for_task(&reporter, ENGINE_MENDS);
  import_engine = &reporter;
  must(takes_illegal_only(&engine) == KERN_SUCCESS);
  must(engine_takes_task(&reporter, EXC_MASK_BREAKPOINT, harmless_behavior()) == KERN_SUCCESS);
  init_mach_ports(HOST_ALL_KINDS);
  host_register_code(&wasm_call_import);
  host_register_code(&wasm_load);
  nested_t nested = {{breaking_import, NULL}, inaccessible_page()};
  for (int i = 0; i < 3; i++) {
    wasmtrap_trap_t trap = host_new_trap();
    const wasmtrap_status_t status = wasmtrap_call(import_then_trap, &nested, &trap);
    same(engine_count(&reporter), i + 1, "the task's reporter has mended it");
    trapped_with(status, &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a trap after it in the same call");
    same(trap.exception, EXC_BAD_ACCESS, "comes to the library's port");
  }
  same(engine_count(&engine), 0, "the engine heard of nothing");
}

/* The library's own traps never reach the engine. */
static void traps_stay_with_the_library(void) {
  engine_t engine;
  engine_start(&engine, ENGINE_MENDS);
  must(engine_takes_thread(&engine, ALL_EXCEPTIONS, harmless_behavior()) == KERN_SUCCESS);
  init_mach_ports(HOST_ALL_KINDS);
  for (int i = 0; i < 100; i++) traps_by_ports("a trap");
  same(engine_count(&engine), 0, "the engine heard of none");
}

/* A fault that the engine declines goes on: task level, then the signal. */
static void what_the_engine_declines_is_a_crash(void) {
  engine_t engine;
  engine_start(&engine, ENGINE_DECLINES);
  must(engine_takes_thread(&engine, ALL_EXCEPTIONS, harmless_behavior()) == KERN_SUCCESS);
  init_mach_ports(HOST_ALL_KINDS);
  traps_by_ports("a trap");
  make_own_fault(&engine, OWN_LOAD);
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"EXCEPTION_DEFAULT, 64-bit codes", default_64, 0},
      {"EXCEPTION_STATE, 64-bit codes", state_64, 0},
      {"EXCEPTION_STATE_IDENTITY, 64-bit codes", state_identity_64, 0},
      {"EXCEPTION_IDENTITY_PROTECTED", identity_protected, 0},
      {"EXCEPTION_STATE_IDENTITY_PROTECTED", state_identity_protected, 0},
      {"EXCEPTION_DEFAULT, 32-bit codes", default_32, 0},
      {"EXCEPTION_STATE, 32-bit codes", state_32, 0},
      {"EXCEPTION_STATE_IDENTITY, 32-bit codes", state_identity_32, 0},
      {"every register arrives as it was", every_register, 0},
      {"a trap after the engine's fault in the same protected call", a_trap_in_the_meantime, 0},
      {"a fault of a type that the engine has not asked for", a_fault_of_another_type, 0},
      {"the library's traps are not shown to the engine", traps_stay_with_the_library, 0},
      {"what the engine declines is a crash", what_the_engine_declines_is_a_crash, SIGSEGV},
  };
  return run_cases(argc, argv, CASES(cases));
}
