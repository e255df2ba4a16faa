/*
 * Runs a program under ptrace, and notes where each SIGSEGV finds it: what a core dump would show, without a core.
 *
 *     last_fault REPORT PROGRAM [ARGUMENT...]
 *
 * REPORT gets a JSON object a line, one for each SIGSEGV that the kernel is about to deliver, and last how the program
 * ended, and whether it was traced: a process has one tracer, and where it has another, there are no stops to tell of.
 * `offset` is the program counter's in the file `object`; `below` has the numbers of earlier ones, from 0, whose place
 * is on the stack below this one, among saved registers, where a debugger finds it in a core dump.
 */
#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* Enough for a frame or two with all vector state. */
enum { STACK_TO_SEARCH = 256 * 1024 };

enum { MAX_STOPS = 1024 };

static void give_up(const char *what) {
  perror(what);
  exit(2);
}

static void registers_of(pid_t thread, uintptr_t *pc, uintptr_t *sp) {
  struct user_regs_struct registers;
  struct iovec place = {&registers, sizeof registers};
  if (ptrace(PTRACE_GETREGSET, thread, (void *)NT_PRSTATUS, &place) != 0) give_up("PTRACE_GETREGSET");
#if defined(__x86_64__)
  *pc = registers.rip;
  *sp = registers.rsp;
#else
  *pc = registers.pc;
  *sp = registers.sp;
#endif
}

/* The mapped file that an address is in, and the offset in it. */
static void place_of(pid_t process, uintptr_t address, char *object, size_t size, uintptr_t *offset) {
  char path[64], line[4352];
  snprintf(path, sizeof path, "/proc/%d/maps", (int)process);
  FILE *maps = fopen(path, "r");
  if (maps == NULL) give_up(path);
  snprintf(object, size, "?");
  *offset = 0;
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned long start, stop, in_file;
    char file[4096] = "";
    if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %4095s", &start, &stop, &in_file, file) < 3) continue;
    if (address < start || address >= stop) continue;
    const char *slash = strrchr(file, '/');
    snprintf(object, size, "%s", slash == NULL ? file : slash + 1);
    *offset = address - start + in_file;
  }
  fclose(maps);
}

/* Whether a word is on the stack, from sp up. */
static int is_on_stack(pid_t process, uintptr_t sp, uintptr_t word) {
  static uintptr_t stack[STACK_TO_SEARCH / sizeof(uintptr_t)];
  const size_t page = 4096;
  /* A page at a time, up to the end of what is mapped. */
  for (size_t got = 0; got < sizeof stack;) {
    const size_t length = page - (sp + got) % page;
    struct iovec here = {(char *)stack + got, length}, there = {(void *)(sp + got), length};
    if (got + length > sizeof stack || process_vm_readv(process, &here, 1, &there, 1, 0) != (ssize_t)length) break;
    for (size_t i = got / sizeof *stack; i < (got + length) / sizeof *stack; i++) {
      if (stack[i] == word) return 1;
    }
    got += length;
  }
  return 0;
}

static void note(FILE *report, pid_t process, pid_t thread) {
  static uintptr_t stops[MAX_STOPS];
  static int count;
  siginfo_t info;
  if (ptrace(PTRACE_GETSIGINFO, thread, NULL, &info) != 0) give_up("PTRACE_GETSIGINFO");
  uintptr_t pc, sp, offset;
  char object[256];
  registers_of(thread, &pc, &sp);
  place_of(process, pc, object, sizeof object, &offset);
  const int from_kernel = info.si_code > 0;
  fprintf(report,
          "{\"code\": %d, \"from_kernel\": %s, \"address\": %lu, \"pc\": %lu, \"object\": \"%s\", \"offset\": %lu, "
          "\"below\": [",
          info.si_code, from_kernel ? "true" : "false", from_kernel ? (unsigned long)(uintptr_t)info.si_addr : 0,
          (unsigned long)pc, object, (unsigned long)offset);
  const char *comma = "";
  for (int i = 0; i < count; i++) {
    if (!is_on_stack(process, sp, stops[i])) continue;
    fprintf(report, "%s%d", comma, i);
    comma = ", ";
  }
  fprintf(report, "]}\n");
  if (count < MAX_STOPS) stops[count++] = pc;
}

/* Lets the program and its threads run to the end of the program; returns its wait status. */
static int follow(FILE *report, pid_t process) {
  for (;;) {
    int status;
    const pid_t thread = waitpid(-1, &status, __WALL);
    if (thread < 0) give_up("waitpid");
    if (!WIFSTOPPED(status)) {
      if (thread == process) return status;
      continue;
    }
    int signal = WSTOPSIG(status);
    if (signal == SIGSEGV) note(report, process, thread);
    /* A new thread's first stop, and the stop that announces it. */
    if (signal == SIGSTOP || signal == SIGTRAP) signal = 0;
    if (ptrace(PTRACE_CONT, thread, NULL, (void *)(intptr_t)signal) != 0) perror("PTRACE_CONT");
  }
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: %s REPORT PROGRAM [ARGUMENT...]\n", argv[0]);
    return 2;
  }
  FILE *report = fopen(argv[1], "w");
  if (report == NULL) give_up(argv[1]);
  const pid_t process = fork();
  if (process < 0) give_up("fork");
  if (process == 0) {
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0) raise(SIGSTOP);
    execvp(argv[2], argv + 2);
    give_up(argv[2]);
  }
  int status;
  if (waitpid(process, &status, 0) != process) give_up("waitpid");
  const int traced = WIFSTOPPED(status);
  if (traced) {
    ptrace(PTRACE_SETOPTIONS, process, NULL, (void *)(PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL));
    ptrace(PTRACE_CONT, process, NULL, NULL);
    status = follow(report, process);
  }
  fprintf(report, "{\"traced\": %s, ", traced ? "true" : "false");
  if (WIFSIGNALED(status)) {
    fprintf(report, "\"killed\": %d}\n", WTERMSIG(status));
  } else {
    fprintf(report, "\"exited\": %d}\n", WEXITSTATUS(status));
  }
  return fclose(report) == 0 ? 0 : 2;
}
