/* An interrupt that finds the thread in host code below the guest waits: until the host makes another protected call,
 * until it comes to wasmtrap_interrupt_point, or until the guest has gone on and the interrupt is sent once more. If
 * the run ends without any of these, it reaches no later call. */
#include <string.h>

#include "runs.h"

/* The two sides tell each other how far they are. */
static uint64_t in_the_import, go_on;
static int import_has_ended, inner_has_run;
static wasmtrap_status_t inner_status;
static wasmtrap_trap_t inner_trap;
static wasm_access_t spin_state;

static void meet(void) {
  tell(&in_the_import, 1);
  wait_for(&go_on, 1);
}

static void run_inner(void *unused) {
  (void)unused;
  inner_has_run = 1;
}

static void make_a_call(void *unused) {
  (void)unused;
  meet();
  inner_trap = host_new_trap();
  inner_status = wasmtrap_call(run_inner, NULL, &inner_trap);
  import_has_ended = 1;
}

static void come_to_a_point(void *unused) {
  (void)unused;
  wasmtrap_interrupt_point();
  meet();
  wasmtrap_interrupt_point();
  import_has_ended = 1;
}

static void do_nothing(void *unused) {
  (void)unused;
  meet();
  import_has_ended = 1;
}

/* The guest: calls the import, and then goes round for ever. */
static wasmtrap_function_t import_of_the_guest;

static void import_then_loop(void *unused) {
  (void)unused;
  wasm_import_t import = {import_of_the_guest, NULL};
  wasm_call_import.function(&import);
  wasm_spin.function(&spin_state);
}

static void import_only(void *unused) {
  (void)unused;
  wasm_import_t import = {import_of_the_guest, NULL};
  wasm_call_import.function(&import);
}

static running_t start(wasmtrap_function_t import, wasmtrap_function_t guest) {
  in_the_import = go_on = 0;
  import_has_ended = inner_has_run = 0;
  memset(&spin_state, 0, sizeof spin_state);
  import_of_the_guest = import;
  running_t running;
  memset(&running, 0, sizeof running);
  running.function = guest;
  return running;
}

static void check(int has_signal) {
  running_t running = start(make_a_call, import_only);
  running_start(&running);
  wait_for(&in_the_import, 1);
  same(wasmtrap_interrupt(running.run, WASMTRAP_CODE_INTERRUPT, 1), WASMTRAP_OK, "in an import: wasmtrap_interrupt");
  tell(&go_on, 1);
  running_join(&running);
  interrupted_with(inner_status, &inner_trap, WASMTRAP_CODE_INTERRUPT, 1, "the next protected call ends");
  ok(!inner_has_run, "... before it has begun");
  same(inner_trap.pc, address_of((void *)(uintptr_t)run_inner), "... at its function");
  same(import_has_ended, 1, "... and the import goes on");
  same(running.status, WASMTRAP_OK, "... and so does the run: the interrupt was taken once");

  running = start(come_to_a_point, import_only);
  running_start(&running);
  wait_for(&in_the_import, 1);
  must(wasmtrap_interrupt(running.run, WASMTRAP_CODE_INTERRUPT, 2) == WASMTRAP_OK);
  tell(&go_on, 1);
  running_join(&running);
  interrupted_with(running.status, &running.trap, WASMTRAP_CODE_INTERRUPT, 2, "wasmtrap_interrupt_point ends the run");
  ok(!import_has_ended, "... and the import with it");
  same(running.frames[0], running.trap.pc, "... where the backtrace begins");

  if (has_signal) {
    running = start(do_nothing, import_then_loop);
    running_start(&running);
    wait_for(&in_the_import, 1);
    must(wasmtrap_interrupt(running.run, WASMTRAP_CODE_INTERRUPT, 3) == WASMTRAP_OK);
    tell(&go_on, 1);
    wait_for(&spin_state.address, 1);
    same(import_has_ended, 1, "without either, the import returns to the guest");
    same(wasmtrap_interrupt(running.run, 99, 99), WASMTRAP_OK, "the interrupt is sent once more");
    running_join(&running);
    interrupted_with(running.status, &running.trap, WASMTRAP_CODE_INTERRUPT, 3, "... and ends the loop, as it was");
  }

  running = start(do_nothing, import_only);
  running_start(&running);
  wait_for(&in_the_import, 1);
  must(wasmtrap_interrupt(running.run, WASMTRAP_CODE_INTERRUPT, 4) == WASMTRAP_OK);
  tell(&go_on, 1);
  running_join(&running);
  same(running.status, WASMTRAP_OK, "a run that ends by itself is not interrupted any more");
}

/* On one thread: the interrupt of a run that is over is in nobody's way. */
static wasmtrap_run_t own_run;

static void interrupt_oneself(void *unused) {
  (void)unused;
  must(wasmtrap_interrupt(own_run, WASMTRAP_CODE_INTERRUPT, 5) == WASMTRAP_OK);
}

static void come_to_a_point_and_end(void *unused) {
  (void)unused;
  wasmtrap_interrupt_point();
  import_has_ended = 2;
}

static void later_calls(void) {
  own_run = run_open();
  wasmtrap_trap_t trap = host_new_trap();
  same(wasmtrap_run_call(own_run, interrupt_oneself, NULL, &trap), WASMTRAP_OK, "a run interrupts itself, and ends");
  same(wasmtrap_call(come_to_a_point_and_end, NULL, &trap), WASMTRAP_OK, "a later call is not interrupted");
  same(import_has_ended, 2, "... and has come to its end");
  const wasmtrap_run_t next = run_open();
  same(wasmtrap_run_call(next, come_to_a_point_and_end, NULL, &trap), WASMTRAP_OK, "nor is a later run");
  wasmtrap_interrupt_point();
  same(wasmtrap_run_close(own_run), WASMTRAP_OK, "close");
  same(wasmtrap_run_close(next), WASMTRAP_OK, "close");
}

int main(void) {
  wasmtrap_interrupt_point();
  host_init();
  tap_note("without a signal");
  check(0);
  later_calls();
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  runs_init();
  host_register_code(&wasm_spin);
  host_register_code(&wasm_call_import);
  tap_note("with a signal");
  check(1);
  later_calls();
  return tap_done();
}
