/* wasmtrap_interrupt ends a loop in registered code that polls nothing, by a trap with the interrupted place in its
 * record. Nothing else ends: another run goes on. */
#include <string.h>

#include "runs.h"

static void nothing_is_blocked(void *unused) {
  (void)unused;
#if !defined(_WIN32)
  sigset_t mask;
  must(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
  ok(!sigismember(&mask, RUNS_SIGNAL) && !sigismember(&mask, SIGUSR1), "no signal is left blocked");
#endif
}

/* Interrupted again and again on one thread. */
static uint64_t rounds_done;
static wasm_access_t rounds_state;
static wasmtrap_run_t rounds_run;
enum { ROUNDS = 200 };

static void *rounds(void *unused) {
  int good = 0;
  for (uint64_t i = 0; i < ROUNDS; i++) {
    __atomic_store_n(&rounds_run, run_open(), __ATOMIC_RELEASE);
    wasmtrap_trap_t trap = host_new_trap();
    const wasmtrap_status_t status = wasmtrap_run_call(rounds_run, wasm_spin.function, &rounds_state, &trap);
    good += status == WASMTRAP_TRAPPED && trap.source == WASMTRAP_SOURCE_INTERRUPT && trap.payload == i;
    must(wasmtrap_run_close(rounds_run) == WASMTRAP_OK);
    rounds_state.address = 0;
    tell(&rounds_done, i + 1);
  }
  same(good, ROUNDS, "one thread is interrupted %d times", ROUNDS);
  nothing_is_blocked(NULL);
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "and is in no call then");
  return unused;
}

int main(void) {
  runs_init();
  host_register_code(&wasm_spin);
  wasm_access_t states[2];
  memset(states, 0, sizeof states);
  running_t running = {.function = wasm_spin.function, .argument = &states[0]};
  running_t other = {.function = wasm_spin.function, .argument = &states[1]};
  running_start(&running);
  running_start(&other);
  wait_for(&states[0].address, 1);
  wait_for(&states[1].address, 1);

  same(wasmtrap_interrupt(running.run, WASMTRAP_CODE_USER + 7, 4711), WASMTRAP_OK, "wasmtrap_interrupt");
  must(pthread_join(running.thread, NULL) == 0);
  interrupted_with(running.status, &running.trap, WASMTRAP_CODE_USER + 7, 4711, "the loop ended");
  same(running.trap.flags & (WASMTRAP_HAS_CODE | WASMTRAP_HAS_REGISTERS | WASMTRAP_HAS_FAULT_ADDRESS),
       WASMTRAP_HAS_CODE | WASMTRAP_HAS_REGISTERS, "... with its code and its registers, and no address");
  ok(running.trap.pc - address_of(wasm_spin.start) < wasm_spin.length, "... in the loop");
  same(running.trap.code_offset, running.trap.pc - address_of(wasm_spin.start), "... at that offset");
  same(running.trap.registers.pc, running.trap.pc, "... which is the registers', too");
  ok(running.trap.frame_count >= 1 && running.frames[0] == running.trap.pc, "... and where the backtrace begins");
  same(running.trap.signal, RUNS_SIGNAL, "... by the signal");
  same(running.trap.exception, 0, "... and no exception");
  same(wasmtrap_interrupt(running.run, 1, 0), WASMTRAP_ERR_NOT_FOUND, "a run that is over is not interrupted");
  same(wasmtrap_run_close(running.run), WASMTRAP_OK, "it can be closed");

  tell(&states[1].value, 1);
  running_join(&other);
  same(other.status, WASMTRAP_OK, "the other run has ended by itself");

  pthread_t thread;
  must(pthread_create(&thread, NULL, rounds, NULL) == 0);
  for (uint64_t i = 0; i < ROUNDS; i++) {
    wait_for(&rounds_state.address, 1);
    must(wasmtrap_interrupt(__atomic_load_n(&rounds_run, __ATOMIC_ACQUIRE), WASMTRAP_CODE_INTERRUPT, i) ==
         WASMTRAP_OK);
    wait_for(&rounds_done, i + 1);
  }
  must(pthread_join(thread, NULL) == 0);
  return tap_done();
}
