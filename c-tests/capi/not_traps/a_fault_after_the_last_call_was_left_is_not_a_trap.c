/* Where longjmp has left the only protected call, a fault is a fault outside of any: the process dies where it was, and
 * control never goes where somebody has written to the memory of the dead call. */
#include <signal.h>

#include "host.h"
#include "jumps.h"
#include "process.h"

static void *page;
static stack_use_t use;

static void load(void *unused) {
  (void)unused;
  wasm_access_t access = {address_of(page), 0};
  wasm_load.function(&access);
}

static void leave_and_load(void *calls) {
  leave_calls_by_a_jump(*(const int *)calls);
  (void)use_stack(use, load, NULL);
}

static void further_out(void *unused) {
  (void)unused;
  leave_calls_by_a_jump(2);
  load(NULL);
}

static void raise_there(void *unused) {
  (void)unused;
  wasmtrap_raise(WASMTRAP_CODE_USER, 0);
}

static void leave_and_raise(void *calls) {
  leave_calls_by_a_jump(*(const int *)calls);
  (void)use_stack(use, raise_there, NULL);
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  page = inaccessible_page();
  static int one = 1, three = 3;
  /* Nothing tells a frame that nobody has written to, and that no call further out vouches against. */
  for (int i = UNTOUCHED + 1; i < STACK_USES; i++) {
    use = (stack_use_t)i;
    child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), leave_and_load, &one, stack_use_names[i]);
    child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), leave_and_load, &three, stack_use_names[i]);
    child_dies_of(SIGABRT, leave_and_raise, &one, stack_use_names[i]);
  }
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), further_out, NULL, "a fault further out than the calls were");
  return tap_done();
}
