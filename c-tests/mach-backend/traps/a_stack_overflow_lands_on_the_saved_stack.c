/* A stack overflow is a trap by the port: the thread goes on with the stack pointer of its protected call, on the main
 * thread, on others and on fibers, again and again. */
#include <pthread.h>

#include <mach/mach.h>

#include "backend.h"
#include "cases.h"
#include "fiber.h"

enum { TIMES = 20 };

/* In the thread's own frame, where it is after each trap. */
static void overflow_often(const wasm_code_t *code, const char *where) {
  volatile uint64_t canary = UINT64_C(0x5aa55aa55aa55aa5);
  for (int i = 0; i < TIMES; i++) {
    wasm_access_t access = {0, 0};
    wasmtrap_trap_t trap;
    trapped_with(host_call(code, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, where);
    same(trap.exception, EXC_BAD_ACCESS, "%s: by the port", where);
    ok(trap.sp < address_of(&canary), "the overflow was further down");
    ok((trap.flags & WASMTRAP_HAS_STACK_GUARD) != 0, "in the stack's guard");
    ok(access.value > 1, "after %llu calls", (unsigned long long)access.value);
    same(canary, UINT64_C(0x5aa55aa55aa55aa5), "the thread goes on in its own frame");
    traps_by_ports("another kind of trap afterwards");
  }
}

static void init(void) {
  init_mach_ports(HOST_ALL_KINDS);
  host_register_code(&wasm_recurse);
  host_register_code(&wasm_recurse_big);
}

static void on_the_main_thread(void) {
  init();
  overflow_often(&wasm_recurse, "small frames on the main thread");
  overflow_often(&wasm_recurse_big, "big frames on the main thread");
}

static void *overflow(void *unused) {
  (void)unused;
  overflow_often(&wasm_recurse, "small frames on a thread");
  overflow_often(&wasm_recurse_big, "big frames on a thread");
  return NULL;
}

static void on_other_threads(void) {
  init();
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) must(pthread_create(&threads[i], NULL, overflow, NULL) == 0);
  for (int i = 0; i < 4; i++) must(pthread_join(threads[i], NULL) == 0);
}

static void overflow_on_a_fiber(fiber_t *fiber, void *unused) {
  (void)unused;
  for (int i = 0; i < 2; i++) {
    overflow_often(&wasm_recurse, "small frames on a fiber");
    fiber_yield(fiber);
  }
}

static void on_fibers(void) {
  init();
  fiber_t *const one = fiber_new(overflow_on_a_fiber, NULL);
  fiber_t *const other = fiber_new(overflow_on_a_fiber, NULL);
  for (int i = 0; i < 2; i++) {
    fiber_resume(one);
    fiber_resume(other);
  }
  traps_by_ports("a trap on the thread's own stack");
}

/* The fault handler has a stack of its own. */
static volatile int calls;

static wasmtrap_verdict_t leaves_it_to_the_tables(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  calls++;
  return WASMTRAP_VERDICT_FORWARD;
}

static void with_a_fault_handler(void) {
  init();
  must(wasmtrap_set_fault_handler(leaves_it_to_the_tables, NULL) == WASMTRAP_OK);
  overflow_often(&wasm_recurse, "with a fault handler");
  same(calls, 2 * TIMES, "it was asked about each trap once");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"on the main thread", on_the_main_thread, 0},
      {"on other threads", on_other_threads, 0},
      {"on fibers", on_fibers, 0},
      {"with a fault handler", with_a_fault_handler, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
