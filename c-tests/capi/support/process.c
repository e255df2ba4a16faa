#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <libproc.h>
#else
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#endif

#include "tap.h"

/* What failed in the last child that was started: it may die before it could tell. */
static int *child_failures;

/* A process that may die leaves no core file behind. */
static void run(child_function_t function, void *argument) {
  const struct rlimit no_core = {0, 0};
  must(setrlimit(RLIMIT_CORE, &no_core) == 0);
  tap_become_child(child_failures);
  function(argument);
  _exit(tap_child_status());
}

pid_t child_start(child_function_t function, void *argument) {
  if (child_failures == NULL) {
    child_failures = mmap(NULL, sizeof *child_failures, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(child_failures != MAP_FAILED);
  }
  *child_failures = 0;
  const pid_t child = fork();
  must(child >= 0);
  if (child == 0) run(function, argument);
  return child;
}

int child_wait(pid_t child) {
  int status = 0;
  pid_t waited;
  do {
    waited = waitpid(child, &status, 0);
  } while (waited < 0 && errno == EINTR);
  must(waited == child);
  return status;
}

const char *child_end_in_words(int wait_status) {
  static char words[64];
  if (WIFSIGNALED(wait_status)) {
    snprintf(words, sizeof words, "ended by %s", strsignal(WTERMSIG(wait_status)));
  } else {
    snprintf(words, sizeof words, "exited with %d", WEXITSTATUS(wait_status));
  }
  return words;
}

int child_passes(child_function_t function, void *argument, const char *name) {
  const int status = child_wait(child_start(function, argument));
  const int good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  ok(good, "%s", name);
  if (!good) tap_note("the child was %s", child_end_in_words(status));
  return good;
}

pid_t child_start_to_die(child_function_t function, void *argument) {
  const int standard_error = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  must(standard_error >= 0 && nowhere >= 0 && dup2(nowhere, STDERR_FILENO) >= 0);
  const pid_t child = child_start(function, argument);
  must(dup2(standard_error, STDERR_FILENO) >= 0);
  close(standard_error);
  close(nowhere);
  return child;
}

static int is_signal(int got, int expected) {
#if defined(__APPLE__)
  /* Which of the two a memory fault is depends on the mapping, and on the version. */
  if (expected == SIGSEGV || expected == SIGBUS) return got == SIGSEGV || got == SIGBUS;
#endif
  return got == expected;
}

static int died_of(int signal, int status, const char *name) {
  const int died = WIFSIGNALED(status) && is_signal(WTERMSIG(status), signal);
  const int good = ok(died && *child_failures == 0, "%s", name);
  if (!died) tap_note("the child was %s, not by %s", child_end_in_words(status), strsignal(signal));
  return good;
}

int child_dies_of(int signal, child_function_t function, void *argument, const char *name) {
  return died_of(signal, child_wait(child_start_to_die(function, argument)), name);
}

int child_dies_saying(int signal, child_function_t function, void *argument, char *text, size_t size,
                      const char *name) {
  int ends[2];
  const int standard_error = dup(STDERR_FILENO);
  must(standard_error >= 0 && pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) >= 0);
  const int status = child_wait(child_start(function, argument));
  must(dup2(standard_error, STDERR_FILENO) >= 0);
  close(standard_error);
  close(ends[1]);
  const ssize_t length = read(ends[0], text, size - 1);
  must(length >= 0);
  text[length] = 0;
  close(ends[0]);
  died_of(signal, status, name);
  return 1;
}

#if defined(__APPLE__)
int child_dies_at(int signal, size_t pc, child_function_t function, void *argument, const char *name) {
  (void)pc;
  tap_skip("macOS lets nobody but a debugger see the registers of another process",
           "%s, at the instruction that faulted", name);
  return child_dies_of(signal, function, argument, name);
}

/* None of its threads runs. */
void wait_until_asleep(pid_t process) {
  struct proc_taskinfo info;
  do {
    sched_yield();
    must(proc_pidinfo(process, PROC_PIDTASKINFO, 0, &info, sizeof info) == sizeof info);
  } while (info.pti_numrunning != 0);
}
#else
typedef struct traced_t {
  child_function_t function;
  void *argument;
} traced_t;

enum { NO_PTRACE = 77 };

static void run_traced(void *argument) {
  const traced_t *const traced = argument;
  if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(NO_PTRACE);
  raise(SIGSTOP);
  traced->function(traced->argument);
}

static size_t pc_of(pid_t child) {
  struct user_regs_struct registers;
  struct iovec place = {&registers, sizeof registers};
  must(ptrace(PTRACE_GETREGSET, child, (void *)NT_PRSTATUS, &place) == 0);
#if defined(__x86_64__)
  return (size_t)registers.rip;
#else
  return (size_t)registers.pc;
#endif
}

/* Follows the child from signal to signal, each of which it gets, to its end. The last one is the one that ends it. */
int child_dies_at(int signal, size_t pc, child_function_t function, void *argument, const char *name) {
  traced_t traced = {function, argument};
  const pid_t child = child_start_to_die(run_traced, &traced);
  size_t last_pc = 0;
  siginfo_t info;
  memset(&info, 0, sizeof info);
  int status = 0;
  must(waitpid(child, &status, WUNTRACED) == child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == NO_PTRACE) {
    tap_skip("no ptrace under this emulator", "%s, at the instruction that faulted", name);
    return child_dies_of(signal, function, argument, name);
  }
  must(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  int passed_on = 0;
  for (;;) {
    must(ptrace(PTRACE_CONT, child, NULL, (void *)(long)passed_on) == 0);
    status = child_wait(child);
    if (!WIFSTOPPED(status)) break;
    last_pc = pc_of(child);
    must(ptrace(PTRACE_GETSIGINFO, child, NULL, &info) == 0);
    passed_on = WSTOPSIG(status);
  }
  const int good = died_of(signal, status, name);
  return same(last_pc, pc, "%s, at the instruction that faulted", name) &&
         ok(info.si_signo == signal && info.si_code > 0, "%s, by a fault and not by a signal that was sent", name) &&
         good;
}

void wait_until_asleep(pid_t process) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/stat", (long)process);
  char state = 0;
  while (state != 'S') {
    FILE *const file = fopen(path, "r");
    must(file != NULL);
    /* The state follows the name, which is in parentheses and may hold any character. */
    char line[512] = "";
    must(fgets(line, sizeof line, file) != NULL);
    fclose(file);
    const char *const name_end = strrchr(line, ')');
    must(name_end != NULL);
    state = name_end[2];
    sched_yield();
  }
}
#endif
