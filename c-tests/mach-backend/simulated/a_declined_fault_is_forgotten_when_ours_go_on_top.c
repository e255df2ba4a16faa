/* The fault handler has declined a fault, and its signal came to a handler on top of the library's, which mended it:
 * the library never heard of that. When its own handlers have gone on top again, the next fault of the same
 * instruction is a new one, about which the fault handler is asked, be it that the port has it or a signal. */
#include <signal.h>

#include <simulated_mach.h>

#include "backend.h"
#include "cases.h"
#include "fake_engine.h"
#include "handlers.h"
#include "host_rules.h"

static volatile int calls, mends;

static wasmtrap_verdict_t fault_handler(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  calls++;
  if (!mends) return WASMTRAP_VERDICT_FORWARD;
  make_accessible((void *)(uintptr_t)fault->fault_address);
  return WASMTRAP_VERDICT_RESUME;
}

static void rearm(void) { must(wasmtrap_rearm() == WASMTRAP_OK); }

/* The library goes in front of everybody for an engine, too. */
static void adopt(void) { engine_adopt(0, WASMTRAP_CLIENT_DEFAULT, 0); }

static void bypass_the_next(void) {
  must(simulated_inject(MACH_PORT_NULL, SIMULATED_BYPASS_EXCEPTION) == KERN_SUCCESS);
}

static void nothing(void) {}

static void again(void (*go_on_top)(void), void (*before_the_next)(void)) {
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(fault_handler, NULL) == WASMTRAP_OK);
  install_handler(SIGSEGV, mending_handler, SA_ONSTACK);
  void *const page = inaccessible_page();
  wasm_access_t access = {address_of(page), 0};
  wasm_load.function(&access);
  same(calls, 1, "the fault handler declines");
  same(mending_calls, 1, "and the handler on top mends the fault");
  go_on_top();
  make_inaccessible(page);
  mends = 1;
  before_the_next();
  wasm_load.function(&access);
  same(calls, 2, "the fault handler is asked about the next fault of that instruction");
  same(mending_calls, 1, "and mends it");
}

/* What it has declined has been to the port a second time, and went on to the next level. */
static void went_on(void (*go_on_top)(void)) {
  if (!every_exception_is_delivered()) skip_case("the profile bypasses ports by itself");
  init_mach_ports(0);
  again(go_on_top, bypass_the_next);
}

static void rearmed(void) { went_on(rearm); }
static void adopted(void) { went_on(adopt); }

/* It came as a signal at once: every third exception does, and the fault and the end of the asking are before it. */
static void bypassed(void (*go_on_top)(void)) {
  if (every_exception_is_delivered()) skip_case("the profile bypasses no port by itself");
  init_mach_ports(0);
  wasmtrap_trap_t trap;
  do {
    must(load_what_must_not_be_touched(&trap) == WASMTRAP_TRAPPED);
  } while (trap.signal == 0);
  again(go_on_top, nothing);
}

static void bypassed_and_rearmed(void) { bypassed(rearm); }
static void bypassed_and_adopted(void) { bypassed(adopt); }

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"wasmtrap_rearm", rearmed, 0},
      {"an adoption", adopted, 0},
      {"wasmtrap_rearm, where the port was bypassed", bypassed_and_rearmed, 0},
      {"an adoption, where the port was bypassed", bypassed_and_adopted, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
