/* Where there is no signal for it, an interrupt of a run waits for the run's call, for an interrupt point, or for
 * the next protected call within; a run that nobody interrupts is a plain call. */
#include <pthread.h>

#include "host.h"

static wasmtrap_run_t run;
static volatile int ran;

static void runs(void *argument) { ran = *(int *)argument; }

static void interrupts_itself(void *unused) {
  (void)unused;
  wasmtrap_interrupt_point();
  must(wasmtrap_interrupt(run, WASMTRAP_CODE_INTERRUPT, 5) == WASMTRAP_OK);
  ran = 1;
  wasmtrap_interrupt_point();
  ran = 2;
}

static void is_interrupt(wasmtrap_status_t status, const wasmtrap_trap_t *trap, uint64_t payload, const char *name) {
  trapped_with(status, trap, WASMTRAP_CODE_INTERRUPT, name);
  same(trap->payload, payload, "%s: payload", name);
  same(trap->source, WASMTRAP_SOURCE_INTERRUPT, "%s: source", name);
}

static void calls_within(void *argument) {
  must(wasmtrap_interrupt(run, WASMTRAP_CODE_INTERRUPT, 6) == WASMTRAP_OK);
  ran = 1;
  wasmtrap_trap_t trap = host_new_trap();
  const wasmtrap_status_t status = wasmtrap_call(runs, argument, &trap);
  is_interrupt(status, &trap, 6, "a protected call within");
}

static void open(void) { must(wasmtrap_run_open(&run) == WASMTRAP_OK); }

int main(void) {
  host_init();
  int value = 7;
  wasmtrap_trap_t trap = host_new_trap();

  open();
  same(wasmtrap_run_call(run, runs, &value, &trap), WASMTRAP_OK, "a run");
  same(ran, 7, "with its argument");
  must(wasmtrap_run_close(run) == WASMTRAP_OK);

  open();
  ran = 0;
  must(wasmtrap_interrupt(run, WASMTRAP_CODE_INTERRUPT, 4) == WASMTRAP_OK);
  is_interrupt(wasmtrap_run_call(run, runs, &value, &trap), &trap, 4, "an interrupt before the call");
  same(ran, 0, "which has not begun");
  must(wasmtrap_run_close(run) == WASMTRAP_OK);

  open();
  is_interrupt(wasmtrap_run_call(run, interrupts_itself, NULL, &trap), &trap, 5, "an interrupt point");
  same(ran, 1, "is where it ends");
  must(wasmtrap_run_close(run) == WASMTRAP_OK);

  open();
  same(wasmtrap_run_call(run, calls_within, &value, &trap), WASMTRAP_OK, "and the run goes on");
  same(ran, 1, "without it");
  must(wasmtrap_run_close(run) == WASMTRAP_OK);

  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.interrupt_signal = 5;
  same(wasmtrap_shutdown(), WASMTRAP_OK, "shutdown");
  same(wasmtrap_init(&options), WASMTRAP_ERR_INVALID_ARGUMENT, "there is no signal to be had");
  contains(wasmtrap_last_error(), "interrupt_signal", "which the sentence says");
  return tap_done();
}
