/* An earlier handler starts with the flags that the kernel clears cleared, whatever the code had left on, single steps
 * among them; and on an alternate stack that disarms itself (SS_AUTODISARM) that stack is off the thread while the
 * handler runs. */
#include <signal.h>

#include "handlers.h"
#include "host.h"

#if defined(__linux__)
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static volatile int calls, flags_on, disarmed;

static void mend(int signal, siginfo_t *info, void *context) {
#if defined(__x86_64__)
  uint64_t flags;
  __asm__ volatile("pushf\n\tpop %0\n\tcld" : "=r"(flags));
  if (flags & (1 << 10 | 1 << 8)) flags_on++;
#endif
  stack_t now;
  must(sigaltstack(NULL, &now) == 0);
  if (now.ss_flags & SS_DISABLE) disarmed++;
  calls++;
  mending_handler(signal, info, context);
}

static void fault(const char *name, int disarms) {
  calls = flags_on = disarmed = 0;
  const uint64_t address = address_of(inaccessible_page());
#if defined(__x86_64__)
  __asm__ volatile("std\n\tmovb $1, (%0)\n\tcld" : : "r"(address) : "memory");
#else
  *(volatile char *)address = 1;
#endif
  same(calls, 1, "%s: the handler was called", name);
  same(flags_on, 0, "%s: without the direction flag of the code", name);
  same(disarmed, disarms, "%s: with its stack disarmed, or not", name);
}

#if defined(__x86_64__)
static volatile int steps;

static void count_step(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  steps++;
}

/* The same by code that a program steps through. */
static void fault_at_a_step(void) {
  calls = flags_on = 0;
  const uint64_t address = address_of(inaccessible_page());
  __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tmovb $1, (%0)\n\t"
                   "pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq"
                   :
                   : "r"(address)
                   : "cc", "memory");
  ok(steps > 0, "%d instructions were steps", steps);
  same(calls, 1, "the handler was called at a step");
  same(flags_on, 0, "and is not stepped through");
}
#endif

int main(void) {
  enum { SIZE = 128 * 1024 };
  static unsigned char memory[SIZE];
  install_handler(SIGSEGV, mend, SA_ONSTACK);
#if defined(__x86_64__)
  install_handler(SIGTRAP, count_step, 0);
#endif
  host_init_with_signals();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  fault("the library's alternate stack", 0);
#if defined(__x86_64__)
  fault_at_a_step();
#endif
  stack_t stack = {0};
  stack.ss_sp = memory;
  stack.ss_size = SIZE;
  stack.ss_flags = (int)SS_AUTODISARM;
  if (sigaltstack(&stack, NULL) != 0) {
    tap_skip("this emulator does not know SS_AUTODISARM", "a stack that disarms itself");
    return tap_done();
  }
  fault("a stack that disarms itself", 1);
  stack_t now;
  must(sigaltstack(NULL, &now) == 0);
  same((unsigned)now.ss_flags, SS_AUTODISARM, "it is armed again");
  fault("the same once more", 1);
  return tap_done();
}
#else
int main(void) { return tap_skip_all("flags and stacks as Linux has them"); }
#endif
