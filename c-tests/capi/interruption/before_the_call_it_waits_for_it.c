/* An interrupt of a run that has not been called ends it before the guest's first instruction; one that was taken back
 * does not. */
#include "runs.h"

static int came;

static void come(void *unused) {
  (void)unused;
  came++;
}

static void inner(void *trap) {
  const wasmtrap_run_t run = run_open();
  must(wasmtrap_interrupt(run, WASMTRAP_CODE_INTERRUPT, 2) == WASMTRAP_OK);
  interrupted_with(wasmtrap_run_call(run, come, NULL, trap), trap, WASMTRAP_CODE_INTERRUPT, 2, "a run within a run");
  same(wasmtrap_run_close(run), WASMTRAP_OK, "... which goes on");
  came += 10;
}

static void check(const char *name) {
  tap_note("%s", name);
  wasmtrap_trap_t trap = host_new_trap();
  uintptr_t frames[4] = {0};
  trap.frames = frames;
  trap.frames_capacity = 4;
  came = 0;
  wasmtrap_run_t run = run_open();
  same(wasmtrap_interrupt(run, WASMTRAP_CODE_INTERRUPT, 1), WASMTRAP_OK, "wasmtrap_interrupt, before the call");
  interrupted_with(wasmtrap_run_call(run, come, NULL, &trap), &trap, WASMTRAP_CODE_INTERRUPT, 1, "the run ends");
  same(came, 0, "... and the guest has not begun");
  same(trap.pc, address_of((void *)(uintptr_t)come), "... at its first instruction");
  ok(trap.frame_count >= 1 && frames[0] == trap.pc, "... where the backtrace begins");
  same(wasmtrap_run_close(run), WASMTRAP_OK, "close");

  run = run_open();
  same(wasmtrap_interrupt(run, 5, 5), WASMTRAP_OK, "an interrupt");
  same(wasmtrap_interrupt(run, 6, 6), WASMTRAP_OK, "and another one");
  interrupted_with(wasmtrap_run_call(run, come, NULL, &trap), &trap, 5, 5, "the first one counts");
  same(wasmtrap_call(come, NULL, &trap), WASMTRAP_OK, "a later call is not interrupted");
  same(wasmtrap_run_close(run), WASMTRAP_OK, "close");

  run = run_open();
  uint32_t pending = 7;
  same(wasmtrap_interrupt_cancel(run, &pending), WASMTRAP_OK, "wasmtrap_interrupt_cancel");
  same(pending, 0, "... of nothing");
  same(wasmtrap_interrupt(run, 5, 5), WASMTRAP_OK, "an interrupt");
  same(wasmtrap_interrupt_cancel(run, &pending), WASMTRAP_OK, "wasmtrap_interrupt_cancel");
  same(pending, 1, "... of the interrupt");
  came = 0;
  same(wasmtrap_run_call(run, come, NULL, &trap), WASMTRAP_OK, "the run is not interrupted");
  same(came, 1, "... and has run");
  same(wasmtrap_run_close(run), WASMTRAP_OK, "close");

  run = run_open();
  same(wasmtrap_run_call(run, inner, &trap, NULL), WASMTRAP_OK, "a run within a run was interrupted alone");
  same(came, 11, "... and the outer one has come to its end");
  same(wasmtrap_run_close(run), WASMTRAP_OK, "close");
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "no call is left");
}

int main(void) {
  host_init();
  check("without a signal");
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  runs_init();
  check("with one");
  return tap_done();
}
