/* The kernel interrupts an exception's message on its way, or bypasses the ports: the trap comes as a signal, and once.
 * An interrupted wait of the server loses nothing. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <simulated_mach.h>

#include "backend.h"
#include "cases.h"
#include "handlers.h"
#include "host_rules.h"
#include "server_thread.h"

enum { TRAPS = 500, THREADS = 8 };

typedef struct count_t {
  int trapped;
  int by_ports;
  int by_signals;
  int wrong;
} count_t;

static void trap_and_count(count_t *count) {
  wasmtrap_trap_t trap;
  const wasmtrap_status_t status = load_what_must_not_be_touched(&trap);
  count->trapped += status == WASMTRAP_TRAPPED;
  if (status != WASMTRAP_TRAPPED || trap.code != WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS ||
      (trap.exception != 0) == (trap.signal != 0)) {
    count->wrong++;
  }
  count->by_ports += trap.exception != 0;
  count->by_signals += trap.signal != 0;
}

static void inject(mach_port_t thread, simulated_injection_t injection) {
  must(simulated_inject(thread, injection) == KERN_SUCCESS);
}

static simulated_exceptions_t exceptions_now(void) {
  simulated_exceptions_t exceptions;
  must(simulated_exceptions(&exceptions) == KERN_SUCCESS);
  return exceptions;
}

static void needs_steady_delivery(void) {
  if (!every_exception_is_delivered()) skip_case("the profile interrupts by itself");
}

static void injected(simulated_injection_t injection) {
  needs_steady_delivery();
  init_mach_ports(0);
  traps_by_ports("a trap");
  const simulated_exceptions_t before = exceptions_now();
  for (int i = 0; i < 100; i++) {
    inject(MACH_PORT_NULL, injection);
    count_t count = {0, 0, 0, 0};
    trap_and_count(&count);
    ok(count.trapped == 1 && count.wrong == 0, "the one that is not delivered arrives, with a record that is whole");
    /* Of one that was interrupted the server has the message too, and makes a trap of it that nobody comes to. */
    same(count.by_signals, 1, "by a signal, says the record");
    traps_by_ports("the next one by the port");
  }
  const simulated_exceptions_t after = exceptions_now();
  same(after.became_signals - before.became_signals, 100, "the kernel made a signal of each of those");
  same(after.thread_level_handled - before.thread_level_handled, 100, "and the library answered each of the others");
}

static void interrupted(void) { injected(SIMULATED_INTERRUPT_EXCEPTION); }
static void bypassed(void) { injected(SIMULATED_BYPASS_EXCEPTION); }

static void the_server_is_interrupted(void) {
  needs_steady_delivery();
  const mach_port_t server = init_and_find_server();
  for (int i = 0; i < 100; i++) {
    inject(server, SIMULATED_INTERRUPT_RECEIVE);
    traps_by_ports("the next trap");
    traps_by_ports("and the one after it");
  }
}

/* The fault handler's asking and its end are exceptions too. */
static volatile int calls;

static wasmtrap_verdict_t mends(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  calls++;
  make_accessible((void *)(uintptr_t)fault->fault_address);
  return WASMTRAP_VERDICT_RESUME;
}

static void the_fault_handler_is_asked_once(void) {
  init_mach_ports(0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(mends, NULL) == WASMTRAP_OK);
  void *const page = inaccessible_page();
  for (int i = 1; i <= TRAPS; i++) {
    wasm_access_t access = {address_of(page), 0};
    if (every_exception_is_delivered() && i % 3 == 0) inject(MACH_PORT_NULL, SIMULATED_INTERRUPT_EXCEPTION);
    if (every_exception_is_delivered() && i % 3 == 1) inject(MACH_PORT_NULL, SIMULATED_BYPASS_EXCEPTION);
    wasm_load_in_leaf.function(&access);
    if (!same(access.value, WASM_RED_ZONE_INTACT, "the code goes on unharmed")) break;
    if (!same(calls, i, "the handler is asked once")) break;
    make_inaccessible(page);
  }
}

/* The exception that ends the asking is the one that is not delivered. */
static wasmtrap_verdict_t mends_and_loses_the_end(wasmtrap_fault_t *fault, void *user) {
  inject(MACH_PORT_NULL, *(const simulated_injection_t *)user);
  return mends(fault, NULL);
}

static void the_end_of_the_asking(void) {
  needs_steady_delivery();
  static const simulated_injection_t injections[] = {SIMULATED_INTERRUPT_EXCEPTION, SIMULATED_BYPASS_EXCEPTION};
  init_mach_ports(0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  void *const page = inaccessible_page();
  for (int i = 0; i < 100; i++) {
    must(wasmtrap_set_fault_handler(mends_and_loses_the_end, (void *)(uintptr_t)&injections[i % 2]) == WASMTRAP_OK);
    wasm_access_t access = {address_of(page), 0};
    wasm_load_in_leaf.function(&access);
    if (!same(access.value, WASM_RED_ZONE_INTACT, "the code goes on unharmed")) break;
    if (!same(calls, i + 1, "the handler is asked once")) break;
    make_inaccessible(page);
  }
  must(wasmtrap_set_fault_handler(NULL, NULL) == WASMTRAP_OK);
  traps_by_ports("a trap afterwards");
}

/* And the fault handler has declined: the signal handler from before hears of the fault, once. */
static volatile wasmtrap_verdict_t verdict;

static wasmtrap_verdict_t answers_and_loses_the_end(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  if (++calls > 1000) _exit(96);
  inject(MACH_PORT_NULL, *(const simulated_injection_t *)user);
  return verdict;
}

static void the_end_of_an_asking_in_vain(void) {
  needs_steady_delivery();
  static const simulated_injection_t injections[] = {SIMULATED_INTERRUPT_EXCEPTION, SIMULATED_BYPASS_EXCEPTION};
  install_handler(SIGSEGV, mending_handler, SA_ONSTACK);
  init_mach_ports(0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  void *const page = inaccessible_page();
  verdict = WASMTRAP_VERDICT_FORWARD;
  for (int i = 0; i < 20; i++) {
    void *const user = (void *)(uintptr_t)&injections[i % 2];
    must(wasmtrap_set_fault_handler(answers_and_loses_the_end, user) == WASMTRAP_OK);
    wasm_access_t access = {address_of(page), 0};
    wasm_load_in_leaf.function(&access);
    if (!same(access.value, WASM_RED_ZONE_INTACT, "the code goes on unharmed")) break;
    if (!same(calls, i + 1, "the fault handler is asked once")) break;
    if (!same(mending_calls, i + 1, "and the signal handler from before")) break;
    make_inaccessible(page);
  }
}

/* A breakpoint, behind which the program counter may be already: whoever takes it goes on there. */
static volatile int breakpoints;

static void counts_breakpoints(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  if (++breakpoints > 100) _exit(97);
}

static void the_end_of_the_asking_about_a_breakpoint(void) {
  needs_steady_delivery();
  if (a_debugger_takes_breakpoints()) skip_case("a debugger takes breakpoints");
  static const simulated_injection_t injections[] = {SIMULATED_INTERRUPT_EXCEPTION, SIMULATED_BYPASS_EXCEPTION};
  install_handler(SIGTRAP, counts_breakpoints, SA_ONSTACK);
  init_mach_ports(HOST_ALL_KINDS);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  for (int i = 0; i < 20; i++) {
    const int declines = i / 2 % 2;
    verdict = declines ? WASMTRAP_VERDICT_FORWARD : WASMTRAP_VERDICT_RESUME;
    breakpoints = 0;
    void *const user = (void *)(uintptr_t)&injections[i % 2];
    must(wasmtrap_set_fault_handler(answers_and_loses_the_end, user) == WASMTRAP_OK);
    wasm_breakpoint.function(NULL);
    if (!same(calls, i + 1, "the fault handler is asked once")) break;
    if (!same(breakpoints, declines, "and the signal handler of what it declines")) break;
  }
}

static void *trap_often(void *count) {
  for (int i = 0; i < TRAPS; i++) trap_and_count(count);
  return NULL;
}

static void many_threads(void) {
  init_mach_ports(0);
  pthread_t threads[THREADS];
  count_t counts[THREADS];
  memset(counts, 0, sizeof counts);
  for (int i = 0; i < THREADS; i++) must(pthread_create(&threads[i], NULL, trap_often, &counts[i]) == 0);
  int by_ports = 0, by_signals = 0;
  for (int i = 0; i < THREADS; i++) {
    must(pthread_join(threads[i], NULL) == 0);
    same(counts[i].trapped, TRAPS, "each of this thread's traps arrived, and once");
    same(counts[i].wrong, 0, "with the right code, by port or by signal");
    by_ports += counts[i].by_ports;
    by_signals += counts[i].by_signals;
  }
  ok(by_ports > 0, "traps came by the ports");
  if (every_exception_is_delivered()) {
    same(by_signals, 0, "all of them");
  } else {
    ok(by_signals > 0, "and some as signals");
  }
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"exceptions that are interrupted", interrupted, 0},
      {"exceptions that are bypassed", bypassed, 0},
      {"the server's waiting is interrupted", the_server_is_interrupted, 0},
      {"the fault handler is asked once about each fault", the_fault_handler_is_asked_once, 0},
      {"the end of the fault handler's asking is not delivered", the_end_of_the_asking, 0},
      {"nor is that of an asking in vain", the_end_of_an_asking_in_vain, 0},
      {"nor is that of one about a breakpoint", the_end_of_the_asking_about_a_breakpoint, 0},
      {"many threads", many_threads, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
