/* The signal of interrupts is the library's from wasmtrap_init to wasmtrap_shutdown: unblocked in attached threads, and
 * afterwards what it was, with nothing of it still to come. */
#include <string.h>

#include "process.h"
#include "runs.h"

static int is_blocked(void) {
  sigset_t mask;
  must(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
  return sigismember(&mask, RUNS_SIGNAL);
}

static void block(int how) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, RUNS_SIGNAL);
  must(pthread_sigmask(how, &mask, NULL) == 0);
}

static void masks(void *unused) {
  (void)unused;
  block(SIG_BLOCK);
  runs_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  ok(!is_blocked(), "attaching a thread unblocks it");
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  ok(is_blocked(), "detaching it blocks it again");
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  block(SIG_BLOCK);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  ok(!is_blocked(), "blocked meanwhile, and attached again: unblocked");
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  ok(is_blocked(), "detaching it blocks it all the same");
  block(SIG_UNBLOCK);
  must(wasmtrap_thread_attach() == WASMTRAP_OK && wasmtrap_thread_detach() == WASMTRAP_OK);
  ok(!is_blocked(), "a thread that does not block it does not do so afterwards");
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_shutdown() == WASMTRAP_OK);

  wasmtrap_options_t options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.flags = WASMTRAP_INIT_KEEP_SIGNAL_MASK;
  options.interrupt_signal = RUNS_SIGNAL;
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  block(SIG_BLOCK);
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  ok(is_blocked(), "WASMTRAP_INIT_KEEP_SIGNAL_MASK leaves it blocked");
}

static uint64_t blocked, interrupted;

static void wait_with_the_signal_blocked(void *unused) {
  (void)unused;
  block(SIG_BLOCK);
  tell(&blocked, 1);
  wait_for(&interrupted, 1);
}

static uint64_t shut_down, set_up_again;
static wasmtrap_run_t second_run;
static wasm_access_t spin_state;

static void *run_then_unblock(void *argument) {
  must(wasmtrap_run_call(*(wasmtrap_run_t *)argument, wait_with_the_signal_blocked, NULL, NULL) == WASMTRAP_OK);
  tell(&interrupted, 2);
  wait_for(&shut_down, 1);
  block(SIG_UNBLOCK);
  tell(&shut_down, 2);
  wait_for(&set_up_again, 1);
  wasmtrap_trap_t trap = host_new_trap();
  interrupted_with(wasmtrap_run_call(second_run, wasm_spin.function, &spin_state, &trap), &trap, 2, 2,
                   "after another wasmtrap_init the thread is interrupted as before");
  return NULL;
}

static void pending(void *unused) {
  (void)unused;
  struct sigaction before, after;
  must(sigaction(RUNS_SIGNAL, NULL, &before) == 0);
  runs_init();
  wasmtrap_run_t run = run_open();
  pthread_t thread;
  must(pthread_create(&thread, NULL, run_then_unblock, &run) == 0);
  wait_for(&blocked, 1);
  must(wasmtrap_interrupt(run, 1, 1) == WASMTRAP_OK);
  tell(&interrupted, 1);
  wait_for(&interrupted, 2);
  same(wasmtrap_shutdown(), WASMTRAP_OK, "shutdown, with the signal on its way to a thread");
  must(sigaction(RUNS_SIGNAL, NULL, &after) == 0);
  ok(after.sa_handler == before.sa_handler && before.sa_handler == SIG_DFL, "the signal does what it did before");
  tell(&shut_down, 1);
  wait_for(&shut_down, 2);
  ok(1, "and what was on its way has ended nobody");
  same(wasmtrap_run_close(run), WASMTRAP_OK, "a run can be closed after that");
  runs_init();
  host_register_code(&wasm_spin);
  second_run = run_open();
  tell(&set_up_again, 1);
  wait_for(&spin_state.address, 1);
  must(wasmtrap_interrupt(second_run, 2, 2) == WASMTRAP_OK);
  must(pthread_join(thread, NULL) == 0);
}

static void is_deadly(void *unused) {
  (void)unused;
  runs_init();
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  raise(RUNS_SIGNAL);
}

int main(void) {
  child_passes(masks, NULL, "the signal mask");
  child_passes(pending, NULL, "what is on its way");
  child_dies_of(RUNS_SIGNAL, is_deadly, NULL, "afterwards the signal's default action is in place");
  return tap_done();
}
