/* A debugger that stops where a trap lands finds it without the resume flag, which the fault has set in the context
 * that the kernel saved: with it the processor would pass over a breakpoint on the first instruction. */
#include "host.h"

#if defined(__linux__) && defined(__x86_64__)
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "breakpoint.h"

enum { NO_DEBUGGER = 2, OF_A_SYSTEM_CALL = SIGTRAP | 0x80 };

/* The debugger's child: stops once it is set up, then has a trap. */
static void debugged(void) {
  tap_become_child(NULL);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  ok(library_traps(), "a trap is a trap");
  if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(NO_DEBUGGER);
  raise(SIGSTOP);
  ok(library_traps(), "a trap is a trap in the debugger, too");
  _exit(tap_child_status());
}

int main(void) {
  const pid_t child = fork();
  must(child >= 0);
  if (child == 0) debugged();
  int status, returning = 0, faulted = 0, landed = 0, met = 0;
  must(waitpid(child, &status, 0) == child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == NO_DEBUGGER) return tap_skip_all("no debugger here");
  must(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  must(ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)PTRACE_O_TRACESYSGOOD) == 0);
  unsigned long long landing = 0;
  for (int signal = 0;;) {
    must(ptrace(landed ? PTRACE_CONT : PTRACE_SYSCALL, child, NULL, (void *)(intptr_t)signal) == 0);
    must(waitpid(child, &status, 0) == child);
    if (!WIFSTOPPED(status)) break;
    signal = WSTOPSIG(status);
    struct user_regs_struct registers;
    must(ptrace(PTRACE_GETREGS, child, NULL, &registers) == 0);
    if (signal == OF_A_SYSTEM_CALL) {
      signal = 0;
      /* Each call stops twice; the way back from the handler has its number at the first stop only. */
      if (returning) {
        landed = 1;
        landing = registers.rip;
        same(registers.eflags & 1 << 16, 0, "the resume flag is off where the trap lands");
        if (!set_breakpoint(child, (uintptr_t)landing)) {
          tap_skip("no debugger's registers here", "a breakpoint there");
          met = -1;
        }
      } else if (faulted && registers.orig_rax == SYS_rt_sigreturn) {
        returning = 1;
      }
    } else if (signal == SIGTRAP && landed && registers.rip == landing) {
      signal = 0;
      met = 1;
      must(clear_breakpoint(child));
    } else if (signal == SIGSEGV) {
      faulted = 1;
    }
  }
  if (met >= 0) same(met, 1, "a breakpoint there is met");
  ok(landed, "the handler was left by rt_sigreturn");
  ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ends well");
  return tap_done();
}
#else
int main(void) { return tap_skip_all("a debugger as Linux has it, on x86-64"); }
#endif
