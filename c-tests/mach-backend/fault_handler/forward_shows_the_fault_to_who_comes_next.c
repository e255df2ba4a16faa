/* A fault that the fault handler declines goes to whoever is next, as the kernel reported it and with the registers of
 * the fault: an engine's earlier port, an earlier signal handler, the default action. The handler is asked once. */
#include <signal.h>
#include <string.h>

#include "backend.h"
#include "cases.h"
#include "context.h"
#include "engine.h"
#include "handlers.h"
#include "host_rules.h"
#include "thread_ports.h"

static volatile int calls;

static wasmtrap_verdict_t declines(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  calls++;
  /* What it does to the registers counts with RESUME only. */
  memset(fault->registers->general, 0x5a, sizeof fault->registers->general);
  fault->registers->pc = 0;
  return WASMTRAP_VERDICT_FORWARD;
}

static void init(void) {
  init_mach_ports(HOST_ALL_KINDS);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(declines, NULL) == WASMTRAP_OK);
}

/* ---- An engine that was there before ---- */

static void nothing(void *unused) { (void)unused; }

static void to_an_engine(void) {
  engine_t engine;
  engine_start(&engine, ENGINE_LANDS);
  must(engine_takes_thread(&engine, ALL_EXCEPTIONS, harmless_behavior()) == KERN_SUCCESS);
  make_clobbered_fault(&engine);
  const engine_report_t without = *engine_last(&engine);
  init();
  for (int i = 1; i <= 20; i++) {
    make_clobbered_fault(&engine);
    const engine_report_t with = *engine_last(&engine);
    same(engine_count(&engine), i + 1, "the engine is asked once");
    same(calls, i, "after the fault handler, once");
    same(with.exception, without.exception, "the exception");
    ok(memcmp(with.codes, without.codes, sizeof with.codes) == 0, "its codes");
    same_engine_states(&with, &without);
    /* A protected call, at which the thread takes its exceptions back. */
    wasmtrap_trap_t trap = host_new_trap();
    must(wasmtrap_call(nothing, NULL, &trap) == WASMTRAP_OK);
  }
}

static void each_fault_to_an_engine(void) {
  engine_t engine;
  engine_start(&engine, ENGINE_MENDS);
  must(engine_takes_thread(&engine, ALL_EXCEPTIONS, harmless_behavior()) == KERN_SUCCESS);
  init();
  for (own_fault_t fault = 0; fault < OWN_FAULTS; fault++) {
    if (!own_fault_exists(fault)) continue;
    calls = 0;
    const int before = engine_count(&engine);
    make_own_fault(&engine, fault);
    same(calls, 1, "%s: the fault handler is asked once", own_fault_names[fault]);
    same(engine_count(&engine), before + 1, "then the engine, which mends it");
    same(engine_last(&engine)->exception, own_fault_exception(fault), "as what it is");
    if (engine_last(&engine)->state_count > 0) {
      same(engine_state_pc(engine_last(&engine)), own_fault_pc(fault), "where it was");
    }
    traps_by_ports("and the ports are the library's again");
  }
}

/* ---- An earlier signal handler ---- */

static volatile int signals_seen;
static volatile size_t seen_pc;
static void *volatile seen_address;

static void mend(int signal, siginfo_t *info, void *context) {
  (void)signal;
  signals_seen++;
  seen_pc = context_pc(context);
  seen_address = info->si_addr;
  make_accessible(info->si_addr);
}

static void to_an_earlier_signal_handler(void) {
  install_handler(SIGSEGV, mend, SA_ONSTACK);
  install_handler(SIGBUS, mend, SA_ONSTACK);
  init();
  for (int i = 1; i <= 20; i++) {
    void *const page = inaccessible_page();
    wasm_access_t access = {address_of(page), 0};
    wasm_load_in_leaf.function(&access);
    same(access.value, WASM_RED_ZONE_INTACT, "the code goes on with its red zone as it was");
    same(calls, i, "the fault handler was asked once");
    same(signals_seen, i, "the signal handler too");
    same(seen_pc, wasm_fault_pc(&wasm_load_in_leaf), "about the instruction that faulted");
    same(address_of(seen_address), address_of(page), "and its address");
  }
}

/* ---- Nobody ---- */

static void memory_to_nobody(void) {
  init();
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
}

static void illegal_to_nobody(void) {
  init();
  wasm_unreachable.function(NULL);
}

static void breakpoint_to_nobody(void) {
  if (a_debugger_takes_breakpoints()) skip_case("a debugger takes breakpoints");
  init();
  wasm_breakpoint.function(NULL);
}

/* One that is declined, mended by nobody, and comes again at the same place is a new fault: the handler is asked
 * again. */
static volatile int second_time;

static wasmtrap_verdict_t declines_at_first(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  calls++;
  if (second_time) {
    make_accessible((void *)(uintptr_t)fault->fault_address);
    return WASMTRAP_VERDICT_RESUME;
  }
  return WASMTRAP_VERDICT_FORWARD;
}

static void the_same_place_again(void) {
  install_handler(SIGSEGV, mend, SA_ONSTACK);
  install_handler(SIGBUS, mend, SA_ONSTACK);
  init_mach_ports(0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(declines_at_first, NULL) == WASMTRAP_OK);
  void *const page = inaccessible_page();
  wasm_access_t access = {address_of(page), 0};
  wasm_load.function(&access);
  same(calls, 1, "declined");
  same(signals_seen, 1, "and mended by the signal handler");
  make_inaccessible(page);
  second_time = 1;
  wasm_load.function(&access);
  same(calls, 2, "the next fault of the same instruction is asked about");
  same(signals_seen, 1, "and mended by the fault handler");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"to an engine that was there before, with every register", to_an_engine, 0},
      {"each kind of fault, to an engine that was there before", each_fault_to_an_engine, 0},
      {"to an earlier signal handler", to_an_earlier_signal_handler, 0},
      {"a memory fault to nobody", memory_to_nobody, SIGSEGV},
      {"an illegal instruction to nobody", illegal_to_nobody, SIGILL},
      {"a breakpoint to nobody", breakpoint_to_nobody, SIGTRAP},
      {"the same instruction a second time", the_same_place_again, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
