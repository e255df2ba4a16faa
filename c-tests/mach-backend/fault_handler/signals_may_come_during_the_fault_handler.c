/* With Mach ports the fault handler runs with no signal blocked: handlers of signals that come meanwhile run, on the
 * alternate stack or on the thread's, and harm neither the fault handler nor the code that faulted. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "backend.h"
#include "cases.h"
#include "handlers.h"

enum { WORDS = 512 };

static volatile int signals_seen, calls, harmed;

/* Uses a good part of a signal stack. */
static void on_signal(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  volatile uint64_t words[WORDS];
  for (int i = 0; i < WORDS; i++) words[i] = ~UINT64_C(0);
  if (words[WORDS / 2] != ~UINT64_C(0)) harmed++;
  __atomic_add_fetch(&signals_seen, 1, __ATOMIC_RELAXED);
}

static wasmtrap_verdict_t mends_while_signals_come(wasmtrap_fault_t *fault, void *user) {
  volatile uint64_t words[WORDS];
  for (int i = 0; i < WORDS; i++) words[i] = (uint64_t)i;
  if (user != NULL) pthread_kill(pthread_self(), SIGUSR1);
  __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
  for (int i = 0; i < WORDS; i++) {
    if (words[i] != (uint64_t)i) harmed++;
  }
  make_accessible((void *)(uintptr_t)fault->fault_address);
  return WASMTRAP_VERDICT_RESUME;
}

/* A load from a leaf function with its data in the red zone. */
static int goes_on_unharmed(void *page) {
  wasm_access_t access = {address_of(page), 0};
  wasm_load_in_leaf.function(&access);
  make_inaccessible(page);
  return access.value == WASM_RED_ZONE_INTACT;
}

static void one_each(int flags) {
  install_handler(SIGUSR1, on_signal, flags);
  init_mach_ports(0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(mends_while_signals_come, (void *)(uintptr_t)&signals_seen) == WASMTRAP_OK);
  void *const page = inaccessible_page();
  int unharmed = 0;
  for (int i = 0; i < 200; i++) unharmed += goes_on_unharmed(page);
  same(unharmed, 200, "the code that faulted goes on with its red zone as it was");
  same(calls, 200, "asked once about each");
  same(signals_seen, 200, "each signal was handled");
  same(harmed, 0, "the fault handler's own variables were left alone");
}

static void on_the_alternate_stack(void) { one_each(SA_ONSTACK); }
static void on_the_stack_it_finds(void) { one_each(0); }

/* Signals from outside, whenever they come: before, during and behind the trampoline and the return. */
static volatile int over;
static pthread_t target;

static void *send_signals(void *unused) {
  (void)unused;
  while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) pthread_kill(target, SIGUSR1);
  return NULL;
}

static void storm(int flags) {
  install_handler(SIGUSR1, on_signal, flags);
  init_mach_ports(0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(mends_while_signals_come, NULL) == WASMTRAP_OK);
  target = pthread_self();
  pthread_t sender;
  must(pthread_create(&sender, NULL, send_signals, NULL) == 0);
  while (signals_seen == 0) sched_yield();
  void *const page = inaccessible_page();
  int unharmed = 0;
  for (int i = 0; i < 1000; i++) unharmed += goes_on_unharmed(page);
  __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
  must(pthread_join(sender, NULL) == 0);
  same(unharmed, 1000, "the code that faulted goes on with its red zone as it was");
  same(calls, 1000, "asked once about each");
  same(harmed, 0, "the fault handler's own variables were left alone");
  must(wasmtrap_set_fault_handler(NULL, NULL) == WASMTRAP_OK);
  traps_by_ports("a trap afterwards");
}

static void storm_on_the_alternate_stack(void) { storm(SA_ONSTACK); }
static void storm_on_the_stack_it_finds(void) { storm(0); }

/* Traps, without a fault handler, while signals come. */
static void storm_on_traps(void) {
  install_handler(SIGUSR1, on_signal, SA_ONSTACK);
  init_mach_ports(0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  target = pthread_self();
  pthread_t sender;
  must(pthread_create(&sender, NULL, send_signals, NULL) == 0);
  while (signals_seen == 0) sched_yield();
  int trapped = 0;
  for (int i = 0; i < 1000; i++) {
    wasmtrap_trap_t trap;
    trapped += load_what_must_not_be_touched(&trap) == WASMTRAP_TRAPPED && trap.exception != 0;
  }
  __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
  must(pthread_join(sender, NULL) == 0);
  same(trapped, 1000, "each of a thousand traps");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"one during each call, on the alternate stack", on_the_alternate_stack, 0},
      {"one during each call, on the stack that it finds", on_the_stack_it_finds, 0},
      {"a storm of them, on the alternate stack", storm_on_the_alternate_stack, 0},
      {"a storm of them, on the stack that they find", storm_on_the_stack_it_finds, 0},
      {"a storm of them during traps", storm_on_traps, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
