/* The host may take the signal of interrupts off a thread before the library sees it: by sigwait or signalfd, or by
 * having it ignored for a moment. The next wasmtrap_interrupt sends it once more; and what was lost in one run is in no
 * other run's way, however often it was. */
#include <string.h>
#if defined(__linux__)
#include <sys/signalfd.h>
#endif
#include <unistd.h>

#include "process.h"
#include "runs.h"

static void by_sigwait(const sigset_t *signals) {
  int taken;
  must(sigwait(signals, &taken) == 0 && taken == RUNS_SIGNAL);
}

#if defined(__linux__)
static void by_signalfd(const sigset_t *signals) {
  struct signalfd_siginfo info;
  const int descriptor = signalfd(-1, signals, 0);
  must(descriptor >= 0 && read(descriptor, &info, sizeof info) == sizeof info && close(descriptor) == 0);
}
#endif

static void by_ignoring_it(const sigset_t *signals) {
  (void)signals;
  struct sigaction ignore, before;
  memset(&ignore, 0, sizeof ignore);
  ignore.sa_handler = SIG_IGN;
  must(sigaction(RUNS_SIGNAL, &ignore, &before) == 0 && sigaction(RUNS_SIGNAL, &before, NULL) == 0);
}

typedef void (*way_t)(const sigset_t *signals);
static way_t take_off;
static uint64_t in_the_import, go_on;
static wasm_access_t spins;

/* Host code in which the signal comes, and is lost. */
static void lose_it(void *unused) {
  (void)unused;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, RUNS_SIGNAL);
  must(pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0);
  tell(&in_the_import, 1);
  wait_for(&go_on, 1);
  take_off(&signals);
  must(pthread_sigmask(SIG_UNBLOCK, &signals, NULL) == 0);
}

static void import_then_loop(void *unused) {
  (void)unused;
  wasm_import_t import = {lose_it, NULL};
  wasm_call_import.function(&import);
  wasm_spin.function(&spins);
}

static void in_the_same_run(void) {
  running_t running;
  memset(&running, 0, sizeof running);
  running.function = import_then_loop;
  running_start(&running);
  wait_for(&in_the_import, 1);
  must(wasmtrap_interrupt(running.run, WASMTRAP_CODE_INTERRUPT, 3) == WASMTRAP_OK);
  tell(&go_on, 1);
  wait_for(&spins.address, 1);
  same(wasmtrap_interrupt(running.run, 9, 9), WASMTRAP_OK, "told once more");
  running_join(&running);
  interrupted_with(running.status, &running.trap, WASMTRAP_CODE_INTERRUPT, 3, "the loop ends");
}

/* Runs of one thread, whose signals are lost one after the other. */
enum { RUNS = 100 };
static uint64_t begun;
static wasmtrap_run_t run;

/* The signal is blocked in the caller. */
static void interrupt_oneself(void *unused) {
  (void)unused;
  must(wasmtrap_interrupt(run, WASMTRAP_CODE_INTERRUPT, 1) == WASMTRAP_OK);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, RUNS_SIGNAL);
  take_off(&signals);
}

static void *many_runs(void *unused) {
  (void)unused;
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, RUNS_SIGNAL);
  must(pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0);
  for (int i = 0; i < RUNS; i++) {
    run = run_open();
    must(wasmtrap_run_call(run, interrupt_oneself, NULL, NULL) == WASMTRAP_OK);
    must(wasmtrap_run_close(run) == WASMTRAP_OK);
  }
  must(pthread_sigmask(SIG_UNBLOCK, &signals, NULL) == 0);
  wasmtrap_trap_t trap = host_new_trap();
  run = run_open();
  tell(&begun, 1);
  const wasmtrap_status_t status = wasmtrap_run_call(run, wasm_spin.function, &spins, &trap);
  interrupted_with(status, &trap, WASMTRAP_CODE_INTERRUPT, 7, "after a hundred that were lost, a run is interrupted");
  return NULL;
}

static void in_earlier_runs(void) {
  memset(&spins, 0, sizeof spins);
  pthread_t thread;
  must(pthread_create(&thread, NULL, many_runs, NULL) == 0);
  wait_for(&begun, 1);
  wait_for(&spins.address, 1);
  same(wasmtrap_interrupt(run, WASMTRAP_CODE_INTERRUPT, 7), WASMTRAP_OK, "the thread is told");
  must(pthread_join(thread, NULL) == 0);
  must(wasmtrap_run_close(run) == WASMTRAP_OK);
}

static void lost(void *way) {
  take_off = *(const way_t *)way;
  runs_init();
  host_register_code(&wasm_spin);
  host_register_code(&wasm_call_import);
  in_the_same_run();
  in_earlier_runs();
}

/* A thread that blocks the signal has no end of them waiting: their queue is that of all the user's processes. */
static void count_on_oneself(void *unused) {
  (void)unused;
  for (int i = 0; i < RUNS; i++) must(wasmtrap_interrupt(run, WASMTRAP_CODE_INTERRUPT, 1) == WASMTRAP_OK);
}

static void blocked(void *unused) {
  (void)unused;
  runs_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  sigset_t signals, pending;
  sigemptyset(&signals);
  sigaddset(&signals, RUNS_SIGNAL);
  must(pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0);
  for (int i = 0; i < 3; i++) {
    run = run_open();
    must(wasmtrap_run_call(run, count_on_oneself, NULL, NULL) == WASMTRAP_OK);
    must(wasmtrap_run_close(run) == WASMTRAP_OK);
  }
  int waiting = 0, taken;
  while (sigpending(&pending) == 0 && sigismember(&pending, RUNS_SIGNAL)) {
    must(sigwait(&signals, &taken) == 0);
    waiting++;
  }
  same(waiting, 1, "one signal waits after %d interrupts", 3 * RUNS);
}

int main(void) {
  way_t sigwaits = by_sigwait, ignores = by_ignoring_it;
  child_passes(lost, &sigwaits, "by sigwait");
#if defined(__linux__)
  way_t reads = by_signalfd;
  child_passes(lost, &reads, "by signalfd");
#endif
  child_passes(lost, &ignores, "by SIG_IGN");
  child_passes(blocked, NULL, "a thread that blocks it");
  return tap_done();
}
