/* The calls for runs and interrupts, and the option of the signal, refuse what they cannot use, by name and value, and
 * change nothing. */
#include <stdio.h>
#include <string.h>

#include "refusal.h"
#include "runs.h"

static int came;
static wasmtrap_run_t run;

static void come(void *unused) {
  (void)unused;
  came++;
}

static void come_again(void *unused) {
  (void)unused;
  char value[32];
  snprintf(value, sizeof value, "%#llx", (unsigned long long)run);
  refused(wasmtrap_run_call(run, come, NULL, NULL), WASMTRAP_ERR_BUSY, "run", value, "the run within itself");
}

static void refuse_signal(int signal, wasmtrap_status_t status, const char *name) {
  char value[32];
  snprintf(value, sizeof value, "%d", signal);
  wasmtrap_options_t options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.interrupt_signal = signal;
  refused(wasmtrap_init(&options), status, "options->interrupt_signal", value, name);
}

/* Where threads are interrupted by a signal. */
#if RUNS_BY_SIGNAL
static void handler(int signal) { (void)signal; }

static void refuse_a_signal_that_has_a_handler(void) {
  must(signal(RUNS_SIGNAL, handler) != SIG_ERR);
  refuse_signal(RUNS_SIGNAL, WASMTRAP_ERR_CONFLICT, "a signal that has a handler");
  must(signal(RUNS_SIGNAL, SIG_DFL) == handler);
}
#else
static void refuse_a_signal_that_has_a_handler(void) {
  refuse_signal(SIGUSR1, WASMTRAP_ERR_INVALID_ARGUMENT, "any signal, where threads are interrupted without one");
}
#endif

static void *body(void *unused) {
  must(wasmtrap_run_call(run, come, NULL, NULL) == WASMTRAP_OK);
  return unused;
}

int main(void) {
  remember_state();
  const wasmtrap_status_t invalid = WASMTRAP_ERR_INVALID_ARGUMENT;
  refused(wasmtrap_run_open(&run), WASMTRAP_ERR_NOT_INITIALIZED, "wasmtrap_init", NULL, "before wasmtrap_init");
  refused(wasmtrap_interrupt(1, 1, 1), WASMTRAP_ERR_NOT_INITIALIZED, "wasmtrap_init", NULL, "an interrupt, too");
  refused(wasmtrap_run_call(1, come, NULL, NULL), WASMTRAP_ERR_NOT_INITIALIZED, "wasmtrap_init", NULL, "a call, too");
  refuse_signal(-1, invalid, "a negative signal");
  refuse_signal(1000, invalid, "a signal that is none");
  refuse_signal(SIGKILL, invalid, "a signal that cannot be caught");
  refuse_signal(SIGSTOP, invalid, "another one");
  refuse_signal(SIGSEGV, invalid, "a signal of faults");
  refuse_signal(SIGTRAP, invalid, "another one, though it is not taken");
#if defined(SIGRTMIN)
  refuse_signal(SIGRTMIN - 1, invalid, "a signal that libc keeps to itself");
#endif
  refuse_a_signal_that_has_a_handler();
  wasmtrap_options_t options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.reserved = 3;
  refused(wasmtrap_init(&options), invalid, "options->reserved", "0x3", "a reserved field");

  runs_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  remember_state();
  options.reserved = 0;
  options.interrupt_signal = SIGUSR1;
  /* Where there is no signal for it, none is right, earlier or later. */
  const wasmtrap_status_t wrong = RUNS_BY_SIGNAL ? WASMTRAP_ERR_CONFLICT : invalid;
  refused(wasmtrap_init(&options), wrong, "interrupt_signal", NULL, "another signal later");
  const wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = "engine", .options = &options};
  wasmtrap_client_t client;
  refused(wasmtrap_client_open(&desc, &client), wrong, RUNS_BY_SIGNAL ? "engine" : NULL, "signal",
          "a client with another one");

  refused(wasmtrap_run_open(NULL), invalid, "run", "NULL", "nowhere to put the number");
  /* The library has places for more than the one; the numbers behind it, and the next one of its own place, would be
   * given out next. */
  must(wasmtrap_run_open(&run) == WASMTRAP_OK);
  const wasmtrap_run_t open = run;
  must(wasmtrap_run_open(&run) == WASMTRAP_OK && wasmtrap_run_close(run) == WASMTRAP_OK);
  const wasmtrap_run_t numbers[] = {
      0, run, run + (UINT64_C(1) << 32), open + 2, open + (UINT64_C(1) << 32), 77, UINT64_C(0x500000001), UINT64_MAX};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    char value[32];
    snprintf(value, sizeof value, "%#llx", (unsigned long long)numbers[i]);
    if (numbers[i] == 0) snprintf(value, sizeof value, "0x0");
    refused(wasmtrap_interrupt(numbers[i], 1, 1), WASMTRAP_ERR_UNKNOWN_ID, "run", value, "an unknown run");
    refused(wasmtrap_interrupt_cancel(numbers[i], NULL), WASMTRAP_ERR_UNKNOWN_ID, "run", value, "... to cancel");
    refused(wasmtrap_run_close(numbers[i]), WASMTRAP_ERR_UNKNOWN_ID, "run", value, "... to close");
    refused(wasmtrap_run_call(numbers[i], come, NULL, NULL), WASMTRAP_ERR_UNKNOWN_ID, "run", value, "... to call");
  }

  must(wasmtrap_run_close(open) == WASMTRAP_OK);

  must(wasmtrap_run_open(&run) == WASMTRAP_OK);
  refused(wasmtrap_run_call(run, NULL, NULL, NULL), invalid, "function", "NULL", "no function");
  wasmtrap_trap_t trap = host_new_trap();
  trap.struct_size--;
  refused(wasmtrap_run_call(run, come, NULL, &trap), WASMTRAP_ERR_STRUCT_SIZE, "trap->struct_size", NULL,
          "a record of another size");
  same(came, 0, "nothing has been called");
  same(wasmtrap_run_call(run, come_again, NULL, NULL), WASMTRAP_OK, "the run is as good as before");
  refused(wasmtrap_run_call(run, come, NULL, NULL), WASMTRAP_ERR_BUSY, "run", "0x", "a second call of it");
  refused(wasmtrap_interrupt(run, 1, 1), WASMTRAP_ERR_NOT_FOUND, "run", "over", "an interrupt when it is over");
  must(wasmtrap_run_close(run) == WASMTRAP_OK);
  refused(wasmtrap_run_close(run), WASMTRAP_ERR_UNKNOWN_ID, "run", "0x", "closing it twice");
  refused(wasmtrap_interrupt(run, 1, 1), WASMTRAP_ERR_UNKNOWN_ID, "run", "0x", "an interrupt of a closed run");

  must(wasmtrap_run_open(&run) == WASMTRAP_OK);
  pthread_t thread;
  must(pthread_create(&thread, NULL, body, NULL) == 0 && pthread_join(thread, NULL) == 0);
  refused(wasmtrap_interrupt(run, 1, 1), WASMTRAP_ERR_NOT_FOUND, "run", "over", "... when its thread has ended");
  same(came, 1, "one call in all");
  return tap_done();
}
