/* In a hardened process an earlier port with a behavior that shows control ports, which somebody from outside has set,
 * or an engine while the kernel still let it, is not put back: the library is not killed for it, and commits no
 * violation. What may be set is put back. */
#include <signal.h>

#include <simulated_mach.h>

#include "backend.h"
#include "cases.h"
#include "engine.h"
#include "host_rules.h"
#include "thread_ports.h"

static void set_from_outside(const engine_t *engine, exception_mask_t mask, unsigned int behavior) {
  const unsigned int plain = behavior & 0xff;
  const int without_state = plain == EXCEPTION_DEFAULT || plain == EXCEPTION_IDENTITY_PROTECTED;
  const int flavor = without_state ? 0 : engine_state_flavor();
  must(simulated_set_exception_ports_from_outside(MACH_PORT_NULL, mask, engine->port, (int)behavior, flavor) ==
       KERN_SUCCESS);
}

static uint64_t violations(void) {
  simulated_exceptions_t exceptions;
  must(simulated_exceptions(&exceptions) == KERN_SUCCESS);
  return exceptions.violations;
}

static void needs_the_prohibition(void) {
  if (!showing_ports_is_forbidden()) skip_case("any behavior may be set in this process");
}

static void nobody_is_put_back(unsigned int behavior) {
  needs_the_prohibition();
  engine_t engine;
  engine_start(&engine, ENGINE_MENDS);
  set_from_outside(&engine, ALL_EXCEPTIONS, behavior);
  make_own_fault(&engine, OWN_ILLEGAL);
  same(engine_count(&engine), 1, "without the library, the engine has its fault");
  const task_rights_t rights = task_rights_now();
  init_mach_ports(HOST_ALL_KINDS);
  traps_by_ports("a trap");
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  same(exception_port_now(EXC_BAD_INSTRUCTION), MACH_PORT_NULL, "detached, nobody is in its place");
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  same(violations(), 0, "no violation");
  const task_rights_t now = task_rights_now();
  same(now.send_references, rights.send_references, "no right is left");
  same(now.dead_names, rights.dead_names, "nor a dead name");
}

static void default_64(void) { nobody_is_put_back(EXCEPTION_DEFAULT | MACH_EXCEPTION_CODES); }
static void default_32(void) { nobody_is_put_back(EXCEPTION_DEFAULT); }
static void state(void) {
  if (!state_is_forbidden()) skip_case("EXCEPTION_STATE may be set in this process");
  nobody_is_put_back(EXCEPTION_STATE | MACH_EXCEPTION_CODES);
}

static void state_identity(void) { nobody_is_put_back(EXCEPTION_STATE_IDENTITY | MACH_EXCEPTION_CODES); }

/* Of two, the one that may be set is put back. */
static void one_of_two(void) {
  needs_the_prohibition();
  engine_t allowed, forbidden;
  engine_start(&allowed, ENGINE_MENDS);
  engine_start(&forbidden, ENGINE_MENDS);
  set_from_outside(&allowed, EXC_MASK_BAD_INSTRUCTION | EXC_MASK_BAD_ACCESS, harmless_behavior());
  set_from_outside(&forbidden, EXC_MASK_BREAKPOINT | EXC_MASK_ARITHMETIC, EXCEPTION_DEFAULT | MACH_EXCEPTION_CODES);
  init_mach_ports(HOST_ALL_KINDS);
  for (int i = 1; i <= 10; i++) {
    traps_by_ports("a trap");
    make_own_fault(&allowed, OWN_ILLEGAL);
    same(engine_count(&allowed), i, "the one that may be set has its fault");
    same(exception_port_now(EXC_BREAKPOINT), MACH_PORT_NULL, "the other one is not put back with it");
  }
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  same(exception_port_now(EXC_BAD_INSTRUCTION), allowed.port, "detached, the one that may be set is in place");
  same(exception_port_now(EXC_BREAKPOINT), MACH_PORT_NULL, "the other one is not");
  same(engine_count(&forbidden), 0, "and has not been asked");
  same(violations(), 0, "no violation");
}

/* A fault of such an engine goes to the next level. */
static void its_fault_is_a_crash(void) {
  needs_the_prohibition();
  engine_t engine;
  engine_start(&engine, ENGINE_MENDS);
  set_from_outside(&engine, ALL_EXCEPTIONS, EXCEPTION_DEFAULT | MACH_EXCEPTION_CODES);
  init_mach_ports(HOST_ALL_KINDS);
  traps_by_ports("a trap");
  make_own_fault(&engine, OWN_ILLEGAL);
}

static void on_top_of_the_library(void) {
  needs_the_prohibition();
  engine_t engine;
  engine_start(&engine, ENGINE_DECLINES);
  init_mach_ports(HOST_ALL_KINDS);
  traps_by_ports("a trap");
  set_from_outside(&engine, ALL_EXCEPTIONS, EXCEPTION_DEFAULT | MACH_EXCEPTION_CODES);
  uint32_t displaced = 0;
  must(wasmtrap_check(&displaced) == WASMTRAP_OK);
  same(displaced, HOST_ALL_KINDS, "the library is displaced");
  traps_by_signals("traps come as signals");
  must(wasmtrap_rearm() == WASMTRAP_OK);
  traps_by_ports("after wasmtrap_rearm by the port");
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  same(exception_port_now(EXC_BAD_ACCESS), MACH_PORT_NULL, "shut down, nobody is in its place");
  same(violations(), 0, "no violation");
}

/* One that was set after the library and is still in place stays, as far as the kernel lets it be seen. */
static void on_top_at_the_end(void) {
  needs_the_prohibition();
  engine_t engine;
  engine_start(&engine, ENGINE_DECLINES);
  init_mach_ports(HOST_ALL_KINDS);
  traps_by_ports("a trap");
  set_from_outside(&engine, ALL_EXCEPTIONS, EXCEPTION_DEFAULT | MACH_EXCEPTION_CODES);
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  same(exception_port_now(EXC_BAD_ACCESS), engine.port, "the newer port is left alone");
  same(violations(), 0, "no violation");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"EXCEPTION_DEFAULT, 64-bit codes", default_64, 0},
      {"EXCEPTION_DEFAULT, 32-bit codes", default_32, 0},
      {"EXCEPTION_STATE, where it is forbidden", state, 0},
      {"EXCEPTION_STATE_IDENTITY", state_identity, 0},
      {"one of two may be set", one_of_two, 0},
      {"its fault is a crash", its_fault_is_a_crash, SIGILL},
      {"one that is set on top of the library", on_top_of_the_library, 0},
      {"one that is on top at the end stays", on_top_at_the_end, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
