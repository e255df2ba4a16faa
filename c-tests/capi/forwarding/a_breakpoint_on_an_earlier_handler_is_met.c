/* A debugger's breakpoint on an earlier handler's first instruction stops there, in the processor's own registers: the
 * kernel clears the resume flag, which would pass it over, for each handler that it starts. */
#include <signal.h>

#include "host.h"

#if defined(__linux__) && defined(__x86_64__)
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "breakpoint.h"
#include "handlers.h"

static volatile int calls;

static void mend(int signal, siginfo_t *info, void *context) {
  calls++;
  mending_handler(signal, info, context);
}

/* The debugger's child: stops once it is set up, then faults. */
static void debugged(int with_library) {
  tap_become_child(NULL);
  install_handler(SIGSEGV, mend, SA_ONSTACK);
  if (with_library) host_init_with_signals();
  volatile unsigned char *const page = inaccessible_page();
  if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(2);
  raise(SIGSTOP);
  *page = 1;
  same(calls, 1, "the handler was called once");
  _exit(tap_child_status());
}

/* How often the child stops at `mend`; -1 if it cannot be debugged here. */
static int stops_at_handler(int with_library) {
  const pid_t child = fork();
  must(child >= 0);
  if (child == 0) debugged(with_library);
  int status, stops = 0;
  must(waitpid(child, &status, 0) == child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2) return -1;
  must(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  if (!set_breakpoint(child, (uintptr_t)mend)) {
    kill(child, SIGKILL);
    must(waitpid(child, &status, 0) == child);
    return -1;
  }
  for (int signal = 0;;) {
    must(ptrace(PTRACE_CONT, child, NULL, (void *)(intptr_t)signal) == 0);
    must(waitpid(child, &status, 0) == child);
    if (!WIFSTOPPED(status)) break;
    signal = WSTOPSIG(status);
    struct user_regs_struct registers;
    must(ptrace(PTRACE_GETREGS, child, NULL, &registers) == 0);
    if (signal == SIGTRAP && registers.rip == (uintptr_t)mend) {
      stops++;
      signal = 0;
      /* Once is what is asked: without it the child runs on. */
      must(clear_breakpoint(child));
    }
  }
  ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s the library: the fault is mended, and the child ends well",
     with_library ? "with" : "without");
  return stops;
}

int main(void) {
  const int without = stops_at_handler(0);
  if (without < 0) return tap_skip_all("no debugger's registers here");
  same(without, 1, "the kernel starts the handler: the breakpoint is met");
  same(stops_at_handler(1), 1, "the library starts it: it is met as well");
  return tap_done();
}
#else
int main(void) { return tap_skip_all("a debugger as Linux has it, on x86-64"); }
#endif
