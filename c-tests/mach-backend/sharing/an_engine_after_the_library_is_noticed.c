/* An engine that sets its ports over the library's gets the faults first. wasmtrap_check and wasmtrap_describe tell;
 * traps that it declines still arrive, as signals; wasmtrap_rearm puts the library back on top, and the engine
 * underneath. */
#include <stdlib.h>

#include "backend.h"
#include "cases.h"
#include "engine.h"
#include "host_rules.h"
#include "thread_ports.h"

static uint32_t displaced(void) {
  uint32_t kinds = 0xffff;
  must(wasmtrap_check(&kinds) == WASMTRAP_OK);
  return kinds;
}

static void description_has(const char *words, const char *name) {
  char *const text = described();
  contains(text, words, "%s", name);
  free(text);
}

static void init_then(engine_t *engine, engine_policy_t policy, exception_mask_t mask) {
  init_mach_ports(HOST_ALL_KINDS);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  same(displaced(), 0, "nothing is displaced");
  description_has("our exception port is in place", "and the description says so");
  engine_start(engine, policy);
  must(engine_takes_thread(engine, mask, harmless_behavior()) == KERN_SUCCESS);
}

static void traps_by_signals_then_by_ports(void) {
  engine_t engine;
  init_then(&engine, ENGINE_DECLINES, ALL_EXCEPTIONS);
  same(displaced(), HOST_ALL_KINDS, "all kinds are displaced");
  description_has("another exception port is in place for kinds 0xf", "the description says so");
  for (int i = 0; i < 20; i++) {
    traps_by_signals("a trap that the engine declines");
    same(engine_count(&engine), i + 1, "after it was asked");
  }
  same(displaced(), HOST_ALL_KINDS, "protected calls do not take the ports back behind the engine's back");
  same(wasmtrap_rearm(), WASMTRAP_OK, "wasmtrap_rearm");
  same(displaced(), 0, "nothing is displaced any more");
  for (int i = 0; i < 20; i++) traps_by_ports("a trap");
  same(engine_count(&engine), 20, "the engine is not asked about traps any more");
  description_has("what is not a trap goes to the exception port that was there before", "the description tells of it");
}

static void own_faults_after_rearm(void) {
  engine_t engine;
  init_then(&engine, ENGINE_MENDS, ALL_EXCEPTIONS);
  must(wasmtrap_rearm() == WASMTRAP_OK);
  for (int i = 0; i < 10; i++) {
    traps_by_ports("a trap");
    const own_fault_t fault = own_fault_exists(OWN_DIVISION) ? (own_fault_t)(i % OWN_FAULTS) : (own_fault_t)(i % 3);
    make_own_fault(&engine, fault);
    same(engine_count(&engine), i + 1, "its own fault reaches the engine: %s", own_fault_names[fault]);
    same(engine_last(&engine)->exception, own_fault_exception(fault), "as what it is");
    description_has("its earlier exception ports are in place until its next protected call", "the description");
  }
}

static void one_kind_only(void) {
  engine_t engine;
  init_then(&engine, ENGINE_DECLINES, EXC_MASK_BAD_INSTRUCTION);
  same(displaced(), WASMTRAP_FAULT_ILLEGAL, "one kind is displaced");
  traps_by_ports("memory faults still come by the port");
  host_register_code(&wasm_unreachable);
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_unreachable, NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "the other kind traps");
  ok(trap.signal != 0 && trap.exception == 0, "as a signal");
  must(wasmtrap_rearm() == WASMTRAP_OK);
  trapped_with(host_call(&wasm_unreachable, NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "after wasmtrap_rearm");
  same(trap.exception, EXC_BAD_INSTRUCTION, "it is an exception");
  same(engine_count(&engine), 1, "the engine was asked once in all");
}

/* One engine over the other, and the library over both, again and again. */
static void again_and_again(void) {
  engine_t engines[2];
  engine_start(&engines[0], ENGINE_MENDS);
  engine_start(&engines[1], ENGINE_MENDS);
  const thread_ports_t before = thread_ports_now();
  const task_rights_t rights = task_rights_now();
  init_mach_ports(HOST_ALL_KINDS);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  for (int i = 0; i < 50; i++) {
    engine_t *const engine = &engines[i % 2];
    must(engine_takes_thread(engine, ALL_EXCEPTIONS, harmless_behavior()) == KERN_SUCCESS);
    must(wasmtrap_rearm() == WASMTRAP_OK);
    traps_by_ports("a trap");
    make_own_fault(engine, OWN_ILLEGAL);
    same(engine_count(engine), i / 2 + 1, "the last engine has its fault");
  }
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  ok(exception_port_now(EXC_BAD_ACCESS) == engines[1].port, "the last one is what is left");
  must(thread_set_exception_ports(engines[0].subject, ALL_EXCEPTIONS, MACH_PORT_NULL, EXCEPTION_DEFAULT, 0) == 0);
  const thread_ports_t after = thread_ports_now();
  same_thread_ports(&after, &before, "without it, nothing");
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  same_task_rights(&rights, "no right is left");
}

static void rearm_without_need(void) {
  init_mach_ports(HOST_ALL_KINDS);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  traps_by_ports("a trap");
  const task_rights_t rights = task_rights_now();
  const thread_ports_t before = thread_ports_now();
  for (int i = 0; i < 100; i++) must(wasmtrap_rearm() == WASMTRAP_OK);
  const thread_ports_t after = thread_ports_now();
  same_thread_ports(&after, &before, "nothing has changed");
  same_task_rights(&rights, "no right came or went");
  traps_by_ports("a trap");
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  ok(exception_port_now(EXC_BAD_ACCESS) == MACH_PORT_NULL, "nothing is left below");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"traps come as signals, after wasmtrap_rearm by the port", traps_by_signals_then_by_ports, 0},
      {"the engine's own faults reach it after wasmtrap_rearm", own_faults_after_rearm, 0},
      {"an engine that takes one kind only", one_kind_only, 0},
      {"two engines in turn", again_and_again, 0},
      {"wasmtrap_rearm where nothing is displaced", rearm_without_need, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
