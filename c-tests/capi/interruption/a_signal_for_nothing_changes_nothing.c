/* The signal of interrupts comes without an interrupt: the code that it has interrupted goes on with all that it had in
 * its registers. Those that a protected call may lose at a landing are looked at, too. */
#include "runs.h"

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>

/* Sends the signal to this thread while a vector register that calls need not keep has a value; returns what is in it
 * then. The kernel delivers the signal before the next instruction. */
static uint64_t kept(uint64_t value) {
  const long process = getpid(), signal = RUNS_SIGNAL;
#if defined(__x86_64__)
  const long thread = syscall(SYS_gettid);
  uint64_t then;
  long result = SYS_tgkill;
  __asm__ volatile("movq %2, %%xmm9\n\tsyscall\n\tmovq %%xmm9, %1"
                   : "+a"(result), "=&r"(then)
                   : "r"(value), "D"(process), "S"(thread), "d"(signal)
                   : "rcx", "r11", "xmm9", "memory");
  must(result == 0);
  return then;
#elif defined(__aarch64__)
  const long thread = syscall(SYS_gettid);
  uint64_t then;
  register long number __asm__("x8") = SYS_tgkill;
  register long first __asm__("x0") = process, second __asm__("x1") = thread, third __asm__("x2") = signal;
  __asm__ volatile("fmov d17, %2\n\tsvc #0\n\tfmov %1, d17"
                   : "+r"(first), "=&r"(then)
                   : "r"(value), "r"(number), "r"(second), "r"(third)
                   : "v17", "memory");
  must(first == 0);
  return then;
#else
#error no such processor
#endif
}

static void in_a_call(void *then) { *(uint64_t *)then = kept(0x1122334455667788); }

int main(void) {
  runs_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  same(kept(0x1020304050607080), 0x1020304050607080, "a register, outside of protected calls");
  uint64_t then = 0;
  same(wasmtrap_call(in_a_call, &then, NULL), WASMTRAP_OK, "a call that the signal comes in returns");
  same(then, 0x1122334455667788, "... and goes on with what was in the register");

  wasmtrap_run_t run = run_open();
  then = 0;
  same(wasmtrap_run_call(run, in_a_call, &then, NULL), WASMTRAP_OK, "and so does a run");
  same(then, 0x1122334455667788, "... with what was in the register");
  same(wasmtrap_run_close(run), WASMTRAP_OK, "close");
  return tap_done();
}
#else
int main(void) { return tap_skip_all("the system call by which a thread sends itself a signal is Linux's"); }
#endif
