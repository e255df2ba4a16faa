/* A program that steps itself (the trap flag) goes on doing so after a trap: the kernel switches stepping off for a
 * handler, and what ends the handler switches it on again. */
#include <signal.h>

#include "host.h"

#if defined(__x86_64__)
#include "handlers.h"

enum { TRAP_FLAG = 1 << 8 };

static volatile unsigned long steps;

static void count_step(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  steps++;
}

static void begin_to_step(void) {
  __asm__ volatile("pushfq\n\torq %0, (%%rsp)\n\tpopfq" : : "i"(TRAP_FLAG) : "cc", "memory");
}

static unsigned long end_steps(void) {
  unsigned long flags;
  __asm__ volatile("pushfq\n\tpopq %0\n\tpushfq\n\tandq %1, (%%rsp)\n\tpopfq"
                   : "=&r"(flags)
                   : "i"(~TRAP_FLAG)
                   : "cc", "memory");
  return flags;
}

int main(void) {
  install_handler(SIGTRAP, count_step, 0);
  host_init();
  host_register_code(&wasm_load);
  void *const page = inaccessible_page();
  wasmtrap_trap_t trap;
  must(host_load(&wasm_load, page, &trap) == WASMTRAP_TRAPPED);
  begin_to_step();
  const wasmtrap_status_t status = host_load(&wasm_load, page, &trap);
  const unsigned long flags = end_steps();
  same(status, WASMTRAP_TRAPPED, "stepping: a trap");
  ok(steps > 0, "%lu instructions were steps", steps);
  ok(flags & TRAP_FLAG, "and after the trap the next ones are as well");
  return tap_done();
}
#else
int main(void) { return tap_skip_all("the trap flag is x86-64's"); }
#endif
