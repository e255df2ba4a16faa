/* A thread's way through the trampoline, from the code that faulted into the host's fault handler and back, is stepped
 * through: at each instruction an unwinder in a second signal handler (a profiler's, say) finds the code that faulted,
 * and who called that. With the processor's trap flag, which a program sets for itself: x86-64. */
#include "backend.h"
#include "cases.h"
#include "context.h"
#include "handlers.h"
#include "memory.h"

#if defined(__x86_64__)
#include <signal.h>
#include <stdlib.h>
#include <unwind.h>

#include "stepping.h"

static volatile uintptr_t faulting_pc, caller_of_faulting;
/* On the stack of the code that faulted. */
static uintptr_t on_own_stack;
enum { OWN_STACK = 256 * 1024 };

static volatile int steps, lost, in_handler;
static volatile uintptr_t first_lost, first_seen, last_seen;

typedef struct walk_t {
  int at_fault, found;
} walk_t;

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *walk_out) {
  walk_t *const walk = walk_out;
  int is_exact = 0;
  const uintptr_t pc = _Unwind_GetIPInfo(context, &is_exact);
  if (walk->at_fault) {
    walk->found = pc == caller_of_faulting;
    return _URC_END_OF_STACK;
  }
  walk->at_fault = pc == faulting_pc && is_exact;
  return _URC_NO_REASON;
}

static void step(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  greg_t *const registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  const uintptr_t sp = (uintptr_t)registers[REG_RSP];
  if (sp - on_own_stack + OWN_STACK < 2 * OWN_STACK) return;
  /* The library is about to block all signals, where nobody can see it; a step's would end the process. */
  if (changes_the_mask(context)) registers[REG_EFL] &= ~TRAP_FLAG;
  walk_t walk = {0, 0};
  _Unwind_Backtrace(look, &walk);
  if (steps++ == 0) first_seen = context_pc(context);
  last_seen = context_pc(context);
  if (!walk.found && lost++ == 0) first_lost = context_pc(context);
}

static wasmtrap_verdict_t mends(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  faulting_pc = fault->pc;
  in_handler++;
  make_accessible((void *)(uintptr_t)fault->fault_address);
  /* And from here on back. */
  if (in_handler == 2) STEP_FROM_HERE();
  return WASMTRAP_VERDICT_RESUME;
}

static __attribute__((noinline)) int load(volatile unsigned char *page, int stepping) {
  caller_of_faulting = (uintptr_t)__builtin_return_address(0);
  if (stepping) STEP_FROM_HERE();
  const int value = *page + 1;
  STEP_NO_MORE();
  return value;
}

static void each_step(void) {
  int here = 0;
  on_own_stack = (uintptr_t)&here;
  install_handler(SIGTRAP, step, 0);
  init_mach_ports(0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(mends, NULL) == WASMTRAP_OK);
  /* The first time tells where the fault is. */
  for (volatile int stepping = 0; stepping < 2; stepping++) {
    must(load(inaccessible_page(), stepping) == 1);
  }
  same(in_handler, 2, "the fault handler was asked each time");
  /* A step is seen when it is done. */
  ok(is_at(first_seen - 4, "\xf3\x0f"), "the first step on its stack is the trampoline's first instruction, endbr64");
  ok(is_at(last_seen, "\x0f\x0b"), "the last one is its last, ud2");
  ok(steps > 100, "and there are %d in all", steps);
  if (!same(lost, 0, "at each of them the unwinder finds the code that faulted, and its caller")) {
    tap_note("first not at %#lx, which is %#lx from the trampoline's first instruction", (unsigned long)first_lost,
             (unsigned long)(first_lost - first_seen));
  }
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {{"the fault handler, step by step", each_step, 0}};
  return run_cases(argc, argv, CASES(cases));
}
#else
int main(void) { return tap_skip_all("there is no trap flag here that a program can set for itself"); }
#endif
