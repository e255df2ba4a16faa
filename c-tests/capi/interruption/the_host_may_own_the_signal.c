/* With WASMTRAP_INIT_HOST_OWNS_SIGNALS the host's own handler hands the signal on. Code that is registered as not
 * interruptible is left alone, as host code is. */
#include <sched.h>
#include <string.h>

#include "runs.h"

static int came, taken_over;

static uint64_t blocked, interrupted;

static void block(int how) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, RUNS_SIGNAL);
  must(pthread_sigmask(how, &mask, NULL) == 0);
}

/* Host code with the signal blocked, until a thousand interrupts have been sent. */
static void wait_for_a_thousand(void *unused) {
  (void)unused;
  block(SIG_BLOCK);
  tell(&blocked, 1);
  wait_for(&interrupted, 1);
  block(SIG_UNBLOCK);
}

static void handler(int signal, siginfo_t *info, void *context) {
  came++;
  taken_over += wasmtrap_try_handle_signal(signal, info, context);
}

int main(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  must(sigaction(RUNS_SIGNAL, &action, NULL) == 0);
  wasmtrap_options_t options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.flags = WASMTRAP_INIT_HOST_OWNS_SIGNALS;
  options.interrupt_signal = RUNS_SIGNAL;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  const uint64_t id = host_register_code(&wasm_spin);

  wasm_access_t state = {0, 0};
  running_t running = {.function = wasm_spin.function, .argument = &state};
  running_start(&running);
  wait_for(&state.address, 1);
  same(wasmtrap_interrupt(running.run, 31, 1), WASMTRAP_OK, "an interrupt");
  while (__atomic_load_n(&came, __ATOMIC_ACQUIRE) == 0) sched_yield();
  /* What goes on after the handler all the same comes to its end, and is found out. */
  tell(&state.value, 1);
  running_join(&running);
  interrupted_with(running.status, &running.trap, 31, 1, "ends the run");
  ok(came == 1 && taken_over == 1, "by the host's handler, once");
  struct sigaction now;
  must(sigaction(RUNS_SIGNAL, NULL, &now) == 0);
  ok(now.sa_sigaction == handler, "which has stayed");

  must(wasmtrap_code_unregister(id) == WASMTRAP_OK);
  host_register_code_with_sites(&wasm_spin, NULL, 0, WASMTRAP_CODE_NOT_INTERRUPTIBLE);
  memset(&state, 0, sizeof state);
  running_start(&running);
  wait_for(&state.address, 1);
  came = 0;
  same(wasmtrap_interrupt(running.run, 31, 2), WASMTRAP_OK, "an interrupt of code that is not interruptible");
  while (__atomic_load_n(&came, __ATOMIC_ACQUIRE) == 0) sched_yield();
  tell(&state.value, 1);
  running_join(&running);
  same(running.status, WASMTRAP_OK, "waits, and is gone with the run");
  raise(RUNS_SIGNAL);
  same(taken_over, 3, "a stray signal is the library's, too, and does nothing");

  came = 0;
  running.function = wait_for_a_thousand;
  running_start(&running);
  wait_for(&blocked, 1);
  int accepted = 0;
  for (int i = 0; i < 1000; i++) accepted += wasmtrap_interrupt(running.run, 31, 3) == WASMTRAP_OK;
  same(accepted, 1000, "a thousand interrupts for a thread that does not get to the signal");
  tell(&interrupted, 1);
  running_join(&running);
  same(came, 1, "are one signal: the user's queue does not fill up");
  same(taken_over, 4, "... which the library has taken");
  return tap_done();
}
