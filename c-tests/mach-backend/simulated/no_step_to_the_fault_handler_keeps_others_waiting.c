/* Wherever a signal interrupts a thread on its way into the host's fault handler and back, the tables are in nobody's
 * hands: another thread that unregisters meanwhile comes to its end, so that the handler of that signal may leave by a
 * jump, or for good. Stepped through, with the processor's trap flag: x86-64. */
#include "backend.h"
#include "cases.h"
#include "handlers.h"
#include "memory.h"

#if defined(__x86_64__)
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "stepping.h"

static volatile int asked_for, done, over, steps, masked_steps, in_handler;

/* Registers something and takes it back, once each time it is asked to. */
static void *register_and_unregister(void *page) {
  for (int served = 0; !__atomic_load_n(&over, __ATOMIC_ACQUIRE);) {
    if (__atomic_load_n(&asked_for, __ATOMIC_ACQUIRE) == served) {
      sched_yield();
      continue;
    }
    const uint64_t id = host_register_region(page, page_size(), WASMTRAP_CODE_NONE);
    must(wasmtrap_region_unregister(id) == WASMTRAP_OK);
    __atomic_store_n(&done, ++served, __ATOMIC_RELEASE);
  }
  return NULL;
}

/* Sets the mask of the code that was interrupted, as the system call that it is about to make would, but that SIGTRAP
 * stays as it is: with that blocked a step ends the process. */
static void set_mask_instead(ucontext_t *context) {
  greg_t *const registers = context->uc_mcontext.gregs;
  uint64_t *const mask = (uint64_t *)&context->uc_sigmask;
  const uint64_t *const set = (const uint64_t *)registers[REG_RSI];
  uint64_t *const before = (uint64_t *)registers[REG_RDX];
  const uint64_t wanted = set == NULL ? 0 : *set, was = *mask;
  if (set != NULL) {
    switch (registers[REG_RDI]) {
      case SIG_BLOCK: *mask |= wanted; break;
      case SIG_UNBLOCK: *mask &= ~wanted; break;
      default: *mask = wanted; break;
    }
    *mask &= ~(UINT64_C(1) << (SIGTRAP - 1));
  }
  if (before != NULL) *before = was;
  registers[REG_RAX] = 0;
  registers[REG_RIP] += 2;
}

static void step(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  steps++;
  if (changes_the_mask(context)) set_mask_instead(context);
  /* No handler comes in there but this one. */
  if (sigismember(&((ucontext_t *)context)->uc_sigmask, SIGUSR1)) {
    masked_steps++;
    return;
  }
  const int mine = __atomic_add_fetch(&asked_for, 1, __ATOMIC_ACQ_REL);
  while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) != mine) sched_yield();
}

static wasmtrap_verdict_t mends(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  /* And back again. */
  STEP_NO_MORE();
  in_handler++;
  make_accessible((void *)(uintptr_t)fault->fault_address);
  if (in_handler == 2) STEP_FROM_HERE();
  return WASMTRAP_VERDICT_RESUME;
}

static __attribute__((noinline)) int load(volatile unsigned char *page, int stepping) {
  if (stepping) STEP_FROM_HERE();
  const int value = *page + 1;
  STEP_NO_MORE();
  return value;
}

static void each_step(void) {
  install_handler(SIGTRAP, step, 0);
  init_mach_ports(0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(mends, NULL) == WASMTRAP_OK);
  pthread_t thread;
  must(pthread_create(&thread, NULL, register_and_unregister, inaccessible_page()) == 0);
  /* The first time has the dynamic linker done with its work. */
  for (volatile int stepping = 0; stepping < 2; stepping++) must(load(inaccessible_page(), stepping) == 1);
  __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
  must(pthread_join(thread, NULL) == 0);
  same(in_handler, 2, "the fault handler was asked each time");
  ok(masked_steps > 100, "the tables were looked at, for %d steps with every signal blocked", masked_steps);
  ok(steps - masked_steps > 100, "at each of the other %d the other thread came to its end", steps - masked_steps);
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {{"the fault handler, step by step", each_step, 0}};
  return run_cases(argc, argv, CASES(cases));
}
#else
int main(void) { return tap_skip_all("there is no trap flag here that a program can set for itself"); }
#endif
