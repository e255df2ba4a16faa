/* Wasmtime's handler takes a trap by jumping away. Nothing of the signal stays behind: not its mask, not the alternate
 * stack, not the floating-point mode of a handler; and so the next trap comes, and the ten thousandth. */
#include <fenv.h>
#include <pthread.h>
#include <signal.h>

#include "platform.h"
#include "tap.h"
#include "wasmtrap.h"

static int same_mask(const sigset_t *one, const sigset_t *other) {
  for (int signal = 1; signal < 32; signal++)
    if (sigismember(one, signal) != sigismember(other, signal)) return 0;
  return 1;
}

static void *on_a_thread(void *argument) {
  const engine_t *engine = argument;
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0);
  ok(stack.ss_flags & SS_DISABLE, "a new thread has no alternate stack");
  same(run_wasm(engine->load, (const void *)8), 1, "its first fault is taken all the same");
  must(sigaltstack(NULL, &stack) == 0);
  ok(!(stack.ss_flags & SS_DISABLE), "it was attached where it first entered Wasm");
  return NULL;
}

int main(void) {
  same(wasmtime_init_traps(jump_out), 0, "init");
  engine_t engine = new_code();
  sigset_t before, after;
  stack_t stack;
  int number = 4711;
  sigemptyset(&before);
  sigaddset(&before, SIGUSR1);
  must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
  must(fesetround(FE_UPWARD) == 0);

  same(run_wasm(engine.load, &number), 0, "code that does not fault returns");
  same(run_wasm(engine.load, (const void *)8), 1, "a fault is taken");
  same(told_ip, (uintptr_t)engine.load, "the handler knows the instruction");
  ok(told_has_address && told_address == 8, "and the address");
  ok(told_fp != 0, "and the frame pointer");
  same(run_wasm(engine.stop, NULL), 1, "unreachable is taken");
  ok(!told_has_address, "and has no address");

  pthread_sigmask(SIG_SETMASK, NULL, &after);
  ok(same_mask(&before, &after), "the signal mask is what it was");
  must(sigaltstack(NULL, &stack) == 0);
  ok(!(stack.ss_flags & SS_ONSTACK), "the alternate stack is free");
  same(fegetround(), FE_UPWARD, "the rounding mode is what it was");

  int taken = 0;
  times_told = 0;
  for (int i = 0; i < 10000; i++) taken += run_wasm(engine.load, (const void *)8);
  ok(taken == 10000 && times_told == 10000, "ten thousand more, each told once");

  pthread_t thread;
  must(pthread_create(&thread, NULL, on_a_thread, &engine) == 0);
  pthread_join(thread, NULL);
  return tap_done();
}
