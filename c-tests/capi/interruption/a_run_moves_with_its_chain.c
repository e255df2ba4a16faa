/* A run whose chain goes to another thread is interrupted there. What comes while the chain is on no thread waits for
 * it, and disturbs neither thread meanwhile. */
#include <string.h>

#include "fiber.h"
#include "runs.h"

static fiber_t *fiber;
static wasmtrap_run_t run;
static wasmtrap_status_t status;
static wasmtrap_trap_t trap;
static wasm_access_t spin_state;
static int at_point;

static void guest(void *unused) {
  (void)unused;
  /* The chain is detached here, and attached on whichever thread resumes the fiber. */
  fiber_yield(fiber);
  if (at_point) wasmtrap_interrupt_point();
  wasm_spin.function(&spin_state);
}

static void on_the_fiber(fiber_t *self, void *unused) {
  (void)self;
  (void)unused;
  trap = host_new_trap();
  status = wasmtrap_run_call(run, guest, NULL, &trap);
}

static void nothing(void *unused) {
  (void)unused;
  wasmtrap_interrupt_point();
}

static void *resume(void *unused) {
  fiber_resume(fiber);
  return unused;
}

static void check(int while_detached) {
  memset(&spin_state, 0, sizeof spin_state);
  at_point = while_detached;
  status = WASMTRAP_OK;
  run = run_open();
  fiber = fiber_new(on_the_fiber, NULL);
  fiber_resume(fiber);
  if (while_detached) same(wasmtrap_interrupt(run, 21, 1), WASMTRAP_OK, "an interrupt while the chain is on no thread");
  same(wasmtrap_call(nothing, NULL, NULL), WASMTRAP_OK, "calls on the thread that it came from go on");
  pthread_t thread;
  must(pthread_create(&thread, NULL, resume, NULL) == 0);
  if (!while_detached) {
    wait_for(&spin_state.address, 1);
    same(wasmtrap_interrupt(run, 21, 1), WASMTRAP_OK, "an interrupt on the other thread");
  }
  must(pthread_join(thread, NULL) == 0);
  interrupted_with(status, &trap, 21, 1, "ends the run there");
  same(wasmtrap_interrupt(run, 21, 1), WASMTRAP_ERR_NOT_FOUND, "and then it is over");
  same(wasmtrap_run_close(run), WASMTRAP_OK, "close");
  fiber_free(fiber);
}

int main(void) {
  runs_init();
  host_register_code(&wasm_spin);
  check(0);
  check(1);
  return tap_done();
}
