/* The fault handler may leave by not returning: the thread goes on, traps, and is asked again, as often as one likes.
 * */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

#include "backend.h"
#include "cases.h"

enum { OFTEN = 2000 };

static __thread jmp_buf landing_pad;
static volatile int calls;
static volatile int jumps_out;

static wasmtrap_verdict_t on_fault(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
  if (jumps_out && fault->code_id == 0) longjmp(landing_pad, 1);
  return WASMTRAP_VERDICT_FORWARD;
}

static void init(void) {
  init_mach_ports(0);
  must(wasmtrap_set_fault_handler(on_fault, NULL) == WASMTRAP_OK);
  jumps_out = 1;
}

static void fault(void *page) {
  wasm_access_t access = {address_of(page), 0};
  wasm_store.function(&access);
}

/* Whether a fault ends here by the jump. */
static int jumped_out(void *page) {
  if (setjmp(landing_pad) != 0) return 1;
  fault(page);
  return 0;
}

static void *jump_out_often(void *times) {
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  void *const page = inaccessible_page();
  int count = 0;
  for (int i = 0; i < *(const int *)times; i++) count += jumped_out(page);
  same(count, *(const int *)times, "each fault ended in the jump");
  sigset_t mask;
  must(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
  ok(!sigismember(&mask, SIGSEGV) && !sigismember(&mask, SIGBUS), "no signal is blocked afterwards");
  traps_by_ports("a trap afterwards");
  return NULL;
}

static void on_the_main_thread(void) {
  init();
  static const int often = OFTEN;
  jump_out_often((void *)(uintptr_t)&often);
  same(calls, OFTEN + 1, "asked once about each");
}

static void on_many_threads(void) {
  init();
  static const int times = 200;
  pthread_t threads[8];
  for (int i = 0; i < 8; i++) must(pthread_create(&threads[i], NULL, jump_out_often, (void *)(uintptr_t)&times) == 0);
  for (int i = 0; i < 8; i++) must(pthread_join(threads[i], NULL) == 0);
  same(calls, 8 * 201, "asked once about each");
}

/* The protected calls that a jump leaves behind are cleared by the next return from an outer one. */
static void jump_inside(void *page) { ok(jumped_out(page), "the jump"); }

static void inside_a_protected_call(void) {
  init();
  void *const page = inaccessible_page();
  for (int i = 0; i < 100; i++) {
    wasmtrap_trap_t trap = host_new_trap();
    same(wasmtrap_call(jump_inside, page, &trap), WASMTRAP_OK, "the call returns");
    traps_by_ports("and the next one traps");
  }
}

/* One that has jumped out is not still asking: a fault of the next one's own handler is told apart. */
static void forwarded_after_jumps(void) {
  init();
  void *const page = inaccessible_page();
  for (int i = 0; i < 10; i++) must(jumped_out(page));
  jumps_out = 0;
  fault(page);
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"thousands of times on the main thread", on_the_main_thread, 0},
      {"on many threads at once", on_many_threads, 0},
      {"inside of a protected call", inside_a_protected_call, 0},
      {"what it declines after that is still forwarded", forwarded_after_jumps, SIGSEGV},
  };
  return run_cases(argc, argv, CASES(cases));
}
