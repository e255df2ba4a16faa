/* A run is stepped through, from wasmtrap_run_call into its guest, and interrupted at each instruction in turn, once:
 * wherever that is, the guest, which never ends by itself, ends. With the processor's trap flag: x86-64, Linux. */
#include "runs.h"

#if defined(__x86_64__) && defined(__linux__) && !EMULATED
#include <sched.h>
#include <string.h>
#include <ucontext.h>

#define TRAP_FLAG 0x100

/* What the thread that steps and the one that interrupts tell each other. */
static uint64_t asked, answered;
static wasmtrap_run_t run;
static wasm_access_t spin_state;
/* The step at which the interrupt is to come, how many there have been, and whether that one is in the guest. */
static long wanted, steps;
static int in_guest, late;

static void *interrupt(void *unused) {
  for (uint64_t i = 1;; i++) {
    wait_for(&asked, i);
    if (run == 0) return unused;
    must(wasmtrap_interrupt(run, WASMTRAP_CODE_INTERRUPT, i) == WASMTRAP_OK);
    tell(&answered, i);
  }
}

/* Each instruction. All signals are blocked in here: the one of the interrupt comes at the place that was
 * interrupted. */
static void step(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  greg_t *const registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  const size_t offset = (size_t)registers[REG_RIP] - address_of(wasm_spin.start);
  steps++;
  if (steps == wanted) {
    in_guest = offset < wasm_spin.length;
    tell(&asked, asked + 1);
  }
  if (steps >= wanted) {
    /* The thread may have a lock that the other one needs: it steps on until it has given it back. */
    for (int i = 0; i < 500 && __atomic_load_n(&answered, __ATOMIC_ACQUIRE) != asked; i++) sched_yield();
    if (answered == asked) {
      late += steps > wanted;
      registers[REG_EFL] &= ~TRAP_FLAG;
    }
  }
}

static void *make_runs(void *unused) {
  int good = 0, count = 0;
  for (wanted = 1; !in_guest; wanted++, count++) {
    steps = 0;
    memset(&spin_state, 0, sizeof spin_state);
    run = run_open();
    wasmtrap_trap_t trap = host_new_trap();
    __asm__ volatile("pushfq\n orq %0, (%%rsp)\n popfq" : : "i"(TRAP_FLAG) : "memory", "cc");
    const wasmtrap_status_t status = wasmtrap_run_call(run, wasm_spin.function, &spin_state, &trap);
    good += status == WASMTRAP_TRAPPED && trap.source == WASMTRAP_SOURCE_INTERRUPT && trap.payload == asked;
    must(wasmtrap_run_close(run) == WASMTRAP_OK);
  }
  same(good, count, "interrupted at each of %d instructions, the run ends", count);
  ok(count > 100, "which is more than a few");
  tap_note("at %d of them the thread had a lock, and was interrupted later", late);
  run = 0;
  tell(&asked, asked + 1);
  return unused;
}

int main(void) {
  runs_init();
  host_register_code(&wasm_spin);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = step;
  action.sa_flags = SA_SIGINFO;
  sigfillset(&action.sa_mask);
  must(sigaction(SIGTRAP, &action, NULL) == 0);
  pthread_t interrupter, stepper;
  must(pthread_create(&interrupter, NULL, interrupt, NULL) == 0);
  must(pthread_create(&stepper, NULL, make_runs, NULL) == 0);
  must(pthread_join(stepper, NULL) == 0);
  must(pthread_join(interrupter, NULL) == 0);
  return tap_done();
}
#else
int main(void) { return tap_skip_all("there is no trap flag here that a program can set for itself"); }
#endif
