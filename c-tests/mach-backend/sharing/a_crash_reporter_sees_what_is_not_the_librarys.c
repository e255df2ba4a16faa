/* A crash reporter or debugger at task level hears of no trap, and of everything else exactly what it would hear
 * without the library, on threads that the library has seen and on others. */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "backend.h"
#include "cases.h"
#include "engine.h"
#include "host_rules.h"
#include "thread_ports.h"

static void the_same_with_and_without(const engine_behavior_t *behavior, own_fault_t fault) {
  engine_t reporter;
  engine_start_for_task(&reporter, ENGINE_MENDS);
  must(engine_takes_task(&reporter, ALL_EXCEPTIONS, behavior->behavior) == KERN_SUCCESS);
  engine_report_t reports[4];
  for (int i = 0; i < 4; i++) {
    if (i == 1) init_mach_ports(HOST_ALL_KINDS);
    if (i > 1) traps_by_ports("a trap, which is none of its business");
    make_own_fault(&reporter, fault);
    reports[i] = *engine_last(&reporter);
    same(engine_count(&reporter), i + 1, "%s, time %d: it is asked once", own_fault_names[fault], i);
    same_engine_reports(&reports[i], &reports[0], own_fault_names[fault]);
  }
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  make_own_fault(&reporter, fault);
  same(engine_count(&reporter), 5, "after wasmtrap_shutdown too");
  engine_stop(&reporter);
}

static void all_faults(int number) {
  const engine_behavior_t *const behavior = &engine_behaviors[number];
  const char *const missing = engine_behavior_missing(behavior);
  if (missing != NULL) skip_case(missing);
  for (own_fault_t fault = 0; fault < OWN_FAULTS; fault++) {
    if (own_fault_exists(fault)) the_same_with_and_without(behavior, fault);
  }
}

static void default_64(void) { all_faults(0); }
static void state_64(void) { all_faults(1); }
static void identity_protected(void) { all_faults(3); }
static void state_32(void) { all_faults(6); }

/* What the embedder's fault handler declines, too: with the registers of the fault and not of the asking. */
static volatile int calls;

static wasmtrap_verdict_t declines(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  fault->registers->general[0] = 4711;
  calls++;
  return WASMTRAP_VERDICT_FORWARD;
}

static void what_the_fault_handler_declines(void) {
  engine_t reporter;
  engine_start_for_task(&reporter, ENGINE_MENDS);
  must(engine_takes_task(&reporter, ALL_EXCEPTIONS, harmless_behavior()) == KERN_SUCCESS);
  for (own_fault_t fault = 0; fault < OWN_FAULTS; fault++) {
    if (!own_fault_exists(fault)) continue;
    engine_report_t reports[4];
    for (int i = 0; i < 4; i++) {
      if (i == 1) {
        init_mach_ports(HOST_ALL_KINDS);
        must(wasmtrap_thread_attach() == WASMTRAP_OK);
        must(wasmtrap_set_fault_handler(declines, NULL) == WASMTRAP_OK);
      }
      calls = 0;
      make_own_fault(&reporter, fault);
      reports[i] = *engine_last(&reporter);
      same(calls, i > 0, "%s: the fault handler is asked once", own_fault_names[fault]);
      same_engine_reports(&reports[i], &reports[0], own_fault_names[fault]);
    }
    must(wasmtrap_shutdown() == WASMTRAP_OK);
  }
  same(engine_count(&reporter), own_fault_exists(OWN_DIVISION) ? 16 : 12, "the reporter heard of each once");
}

/* What the fault handler itself runs into is the reporter's; its end afterwards is the library's. */
static unsigned char *handlers_page;

static wasmtrap_verdict_t faults_itself(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  calls++;
  wasm_access_t access = {address_of(handlers_page), 1};
  wasm_load.function(&access);
  make_accessible((void *)(uintptr_t)fault->fault_address);
  return WASMTRAP_VERDICT_RESUME;
}

static void what_the_fault_handler_runs_into(void) {
  engine_t reporter;
  engine_start_for_task(&reporter, ENGINE_MENDS);
  must(engine_takes_task(&reporter, ALL_EXCEPTIONS, harmless_behavior()) == KERN_SUCCESS);
  init_mach_ports(HOST_ALL_KINDS);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(faults_itself, NULL) == WASMTRAP_OK);
  for (int i = 1; i <= 5; i++) {
    handlers_page = reporter.page = inaccessible_page();
    wasm_access_t access = {address_of(inaccessible_page()), 1};
    wasm_load.function(&access);
    same(calls, i, "time %d: the fault handler is asked once", i);
    same(engine_count(&reporter), i, "the reporter hears of its fault, and of nothing else");
    same(access.value, 0, "and the code goes on");
  }
}

static void *fault_unattached(void *argument) {
  engine_t *const reporter = argument;
  reporter->subject = pthread_mach_thread_np(pthread_self());
  make_own_fault(reporter, OWN_LOAD);
  return NULL;
}

static void on_a_thread_that_the_library_has_not_seen(void) {
  engine_t reporter;
  engine_start_for_task(&reporter, ENGINE_MENDS);
  must(engine_takes_task(&reporter, ALL_EXCEPTIONS, harmless_behavior()) == KERN_SUCCESS);
  init_mach_ports(HOST_ALL_KINDS);
  traps_by_ports("a trap on this thread");
  on_a_thread(fault_unattached, &reporter);
  same(engine_count(&reporter), 1, "the reporter heard of the other thread's fault");
}

static void what_it_declines_is_a_crash(void) {
  engine_t reporter;
  engine_start_for_task(&reporter, ENGINE_DECLINES);
  must(engine_takes_task(&reporter, ALL_EXCEPTIONS, harmless_behavior()) == KERN_SUCCESS);
  init_mach_ports(HOST_ALL_KINDS);
  traps_by_ports("a trap");
  same(engine_count(&reporter), 0, "of which it does not hear");
  make_own_fault(&reporter, OWN_ILLEGAL);
}

static void its_ports_are_left_alone(void) {
  engine_t reporter;
  engine_start_for_task(&reporter, ENGINE_MENDS);
  must(engine_takes_task(&reporter, ALL_EXCEPTIONS, harmless_behavior()) == KERN_SUCCESS);
  init_mach_ports(HOST_ALL_KINDS);
  traps_by_ports("a trap");
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  exception_mask_t masks[EXC_TYPES_COUNT];
  mach_port_t ports[EXC_TYPES_COUNT];
  exception_behavior_t behaviors[EXC_TYPES_COUNT];
  thread_state_flavor_t flavors[EXC_TYPES_COUNT];
  mach_msg_type_number_t count = EXC_TYPES_COUNT;
  must(task_get_exception_ports(mach_task_self(), ALL_EXCEPTIONS, masks, &count, ports, behaviors, flavors) == 0);
  same(count, 1, "one port for all");
  same(ports[0], reporter.port, "the reporter's");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"EXCEPTION_DEFAULT, 64-bit codes", default_64, 0},
      {"EXCEPTION_STATE, 64-bit codes", state_64, 0},
      {"EXCEPTION_IDENTITY_PROTECTED", identity_protected, 0},
      {"EXCEPTION_STATE, 32-bit codes", state_32, 0},
      {"what the embedder's fault handler declines", what_the_fault_handler_declines, 0},
      {"what the embedder's fault handler runs into", what_the_fault_handler_runs_into, 0},
      {"a thread that the library has not seen", on_a_thread_that_the_library_has_not_seen, 0},
      {"what it declines is a crash", what_it_declines_is_a_crash, SIGILL},
      {"its ports are left alone", its_ports_are_left_alone, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
