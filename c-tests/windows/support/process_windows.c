/*
 * process.h for Windows, where nothing forks: a child is the program once more, which goes the same way without a word
 * as far as the call that started it, and runs the function there. So what comes before must do the same each time.
 *
 * A crash is seen where a crash reporter sees it, in the filter for unhandled exceptions.
 */
#include "process.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <windows.h>

#include "tap.h"

/* Which child this process is, from 1 on; 0 for the parent. And how many have been started on the way here. */
static unsigned this_child, started;

/* What a child leaves behind at the end of what it says to standard error, which is a file of its parent's. */
typedef struct end_t {
  uint32_t mark;
  uint32_t failures;
  uint32_t code;
  /* The crash was where it was expected. Memory need not lie in a child where it lies in its parent. */
  uint32_t is_there;
} end_t;
enum { MARK = 0x646e6577 };

static int failures;
static size_t expected_pc;

static void leave(uint32_t code, size_t pc) {
  const end_t end = {MARK, (uint32_t)failures, code, pc == expected_pc};
  DWORD written;
  WriteFile(GetStdHandle(STD_ERROR_HANDLE), &end, sizeof end, &written, NULL);
}

static LONG WINAPI crashed(EXCEPTION_POINTERS *exception) {
  leave(exception->ExceptionRecord->ExceptionCode, (size_t)exception->ContextRecord->Rip);
  TerminateProcess(GetCurrentProcess(), exception->ExceptionRecord->ExceptionCode);
  return EXCEPTION_CONTINUE_SEARCH;
}

/* Before main: the parent's checks are none of the child's. */
__attribute__((constructor)) static void find_out(void) {
  const char *const number = getenv("HARNESS_CHILD");
  if (number == NULL) return;
  this_child = (unsigned)atoi(number);
  unsetenv("HARNESS_CHILD");
  SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
  SetUnhandledExceptionFilter(crashed);
  tap_become_child(&failures);
}

static void run(child_function_t function, void *argument, size_t pc) {
  failures = 0;
  expected_pc = pc;
  function(argument);
  leave(0, 0);
  _exit(tap_child_status());
}

/* Starts the next child and waits for its end. False in a child that is on its way to another one. */
static int had_child(child_function_t function, void *argument, size_t pc, end_t *end, DWORD *code) {
  started++;
  if (this_child == started) run(function, argument, pc);
  if (this_child != 0) return 0;
  char program[MAX_PATH], number[16], folder[MAX_PATH], left[MAX_PATH];
  must(GetModuleFileNameA(NULL, program, sizeof program) != 0);
  must(GetTempPathA(sizeof folder, folder) != 0 && GetTempFileNameA(folder, "end", 0, left) != 0);
  snprintf(number, sizeof number, "%u", started);
  SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
  const HANDLE file = CreateFileA(left, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited,
                                  CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
  must(file != INVALID_HANDLE_VALUE);
  STARTUPINFOA startup;
  memset(&startup, 0, sizeof startup);
  startup.cb = sizeof startup;
  startup.dwFlags = STARTF_USESTDHANDLES;
  startup.hStdInput = INVALID_HANDLE_VALUE;
  startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
  startup.hStdError = file;
  PROCESS_INFORMATION process;
  must(SetEnvironmentVariableA("HARNESS_CHILD", number) != 0);
  must(CreateProcessA(program, NULL, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process) != 0);
  must(SetEnvironmentVariableA("HARNESS_CHILD", NULL) != 0);
  must(WaitForSingleObject(process.hProcess, INFINITE) == WAIT_OBJECT_0);
  must(GetExitCodeProcess(process.hProcess, code) != 0);
  CloseHandle(process.hThread);
  CloseHandle(process.hProcess);
  memset(end, 0, sizeof *end);
  /* A child may have said more to standard error before that. */
  const LONG size = (LONG)sizeof *end;
  DWORD length = 0;
  if (SetFilePointer(file, -size, NULL, FILE_END) != INVALID_SET_FILE_POINTER) {
    if (ReadFile(file, end, sizeof *end, &length, NULL) == 0 || length != sizeof *end || end->mark != MARK) {
      memset(end, 0, sizeof *end);
    }
  }
  CloseHandle(file);
  return 1;
}

int child_passes(child_function_t function, void *argument, const char *name) {
  end_t end;
  DWORD code;
  if (!had_child(function, argument, 0, &end, &code)) return 1;
  const int good = ok(code == 0, "%s", name);
  if (!good) tap_note("the child ended with %#lx", code);
  return good;
}

/* Whether Windows ends a process by this code for what is that signal elsewhere. */
static int is_end_by(int signal, DWORD code) {
  switch (signal) {
    case SIGSEGV:
    case SIGBUS:
      return code == EXCEPTION_ACCESS_VIOLATION || code == EXCEPTION_STACK_OVERFLOW;
    case SIGILL:
      return code == EXCEPTION_ILLEGAL_INSTRUCTION;
    case SIGFPE:
      return code == EXCEPTION_INT_DIVIDE_BY_ZERO || code == EXCEPTION_INT_OVERFLOW ||
             code == EXCEPTION_FLT_DIVIDE_BY_ZERO;
    case SIGTRAP:
      return code == EXCEPTION_BREAKPOINT;
    default: /* SIGABRT: msvcrt's abort() */
      return signal == SIGABRT && code == 3;
  }
}

int child_dies_of(int signal, child_function_t function, void *argument, const char *name) {
  end_t end;
  DWORD code;
  if (!had_child(function, argument, 0, &end, &code)) return 1;
  const int good = ok(is_end_by(signal, code) && end.failures == 0, "%s", name);
  if (!good) tap_note("expected what is signal %d elsewhere, the child ended with %#lx", signal, code);
  return good;
}

int child_dies_at(int signal, size_t pc, child_function_t function, void *argument, const char *name) {
  end_t end;
  DWORD code;
  if (!had_child(function, argument, pc, &end, &code)) return 1;
  const int good = ok(is_end_by(signal, code) && end.failures == 0, "%s", name);
  const int there = ok(end.code == code && end.is_there, "%s: a crash reporter sees the place", name);
  if (!good || !there) tap_note("expected what is signal %d elsewhere, the child ended with %#lx", signal, code);
  return good && there;
}
