/* The fault handler is not asked about its own faults: they go to whoever handled faults before, as a fault inside of a
 * signal handler does. If nobody did, the process dies. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "cases.h"
#include "handlers.h"

static volatile int calls, mended, mended_kind;
static unsigned char *handlers_page;

static wasmtrap_verdict_t loads_what_it_must_not(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  if (++calls > 1) _exit(99);
  wasm_access_t access = {address_of(handlers_page), 0};
  wasm_load.function(&access);
  make_accessible((void *)(uintptr_t)fault->fault_address);
  return WASMTRAP_VERDICT_RESUME;
}

static wasmtrap_verdict_t runs_into_ud2(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  if (++calls > 1) _exit(99);
  wasm_unreachable.function(NULL);
  return WASMTRAP_VERDICT_RESUME;
}

/* Inside of a protected call, and in registered code: a trap, were it not the handler's. */
static wasmtrap_verdict_t runs_registered_code(wasmtrap_fault_t *fault, void *user) {
  return loads_what_it_must_not(fault, user);
}

static wasmtrap_verdict_t uses_up_its_stack(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  if (++calls > 1) _exit(99);
  wasm_access_t access = {0, 0};
  wasm_recurse.function(&access);
  return WASMTRAP_VERDICT_RESUME;
}

static void fault_with(wasmtrap_fault_handler_t handler) {
  init_mach_ports(0);
  handlers_page = inaccessible_page();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(handler, NULL) == WASMTRAP_OK);
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_store.function(&access);
}

static void loads(void) { fault_with(loads_what_it_must_not); }
static void illegal(void) { fault_with(runs_into_ud2); }
static void overflows(void) { fault_with(uses_up_its_stack); }

static void loads_inside_a_call(void *page) {
  wasm_access_t access = {address_of(page), 0};
  wasm_store.function(&access);
}

static void registered(void) {
  init_mach_ports(0);
  handlers_page = inaccessible_page();
  host_register_code(&wasm_load);
  must(wasmtrap_set_fault_handler(runs_registered_code, NULL) == WASMTRAP_OK);
  wasmtrap_trap_t trap = host_new_trap();
  wasmtrap_call(loads_inside_a_call, inaccessible_page(), &trap);
}

static void mend(int signal, siginfo_t *info, void *context) {
  (void)context;
  if (++mended > 10) _exit(98);
  mended_kind = signal;
  make_accessible(info->si_addr);
}

/* The earlier signal handler mends what the fault handler ran into, and the fault handler goes on. */
static void mended_by_the_earlier_signal_handler(void) {
  install_handler(SIGSEGV, mend, SA_ONSTACK);
  install_handler(SIGBUS, mend, SA_ONSTACK);
  init_mach_ports(0);
  handlers_page = inaccessible_page();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(loads_what_it_must_not, NULL) == WASMTRAP_OK);
  wasm_access_t access = {address_of(inaccessible_page()), 4711};
  wasm_store.function(&access);
  same(calls, 1, "the fault handler was asked once");
  same(mended, 1, "the earlier signal handler once, about the handler's own fault");
  uint64_t value = 0;
  memcpy(&value, (void *)(uintptr_t)access.address, sizeof value);
  same(value, 4711, "and both faults are over");
  calls = 0;
  make_inaccessible(handlers_page);
  make_inaccessible((void *)(uintptr_t)access.address);
  wasm_store.function(&access);
  same(calls, 1, "the same again");
  same(mended, 2, "for both");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"it touches what it must not, and the process dies of it", loads, SIGSEGV},
      {"an illegal instruction", illegal, SIGILL},
      /* What is below its stack is a guard page of the library's. */
      {"its stack overflows", overflows, PROTECTED_PAGE_SIGNAL},
      {"registered code inside of a protected call is no trap there", registered, SIGSEGV},
      {"an earlier signal handler mends it", mended_by_the_earlier_signal_handler, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
