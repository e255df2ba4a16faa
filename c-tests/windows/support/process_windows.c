/*
 * process.h for Windows, where nothing forks: a child is the program once more, which goes the same way without a word
 * as far as the call that started it, and runs the function there. So what comes before must do the same each time.
 *
 * A crash is seen where a crash reporter sees it, in the filter for unhandled exceptions.
 */
#include "process.h"

#include <inttypes.h>
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

/* Memory that a child has from its parent, in which it tells of itself. */
typedef struct end_t {
  uint32_t began;
  uint32_t failures;
  uint32_t code;
  /* The crash was where it was expected. Memory need not lie in a child where it lies in its parent. */
  uint32_t is_there;
} end_t;

static end_t *end_of_this;
static int failures;
static size_t expected_pc;

static void leave(uint32_t code, size_t pc) {
  end_of_this->failures = (uint32_t)failures;
  end_of_this->code = code;
  end_of_this->is_there = pc == expected_pc;
}

static LONG WINAPI crashed(EXCEPTION_POINTERS *exception) {
  leave(exception->ExceptionRecord->ExceptionCode, (size_t)exception->ContextRecord->Rip);
  TerminateProcess(GetCurrentProcess(), exception->ExceptionRecord->ExceptionCode);
  return EXCEPTION_CONTINUE_SEARCH;
}

static end_t *map(HANDLE section) {
  end_t *const end = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, sizeof *end);
  must(end != NULL);
  return end;
}

/* Before main: the parent's checks are none of the child's. */
__attribute__((constructor)) static void find_out(void) {
  const char *const words = getenv("HARNESS_CHILD");
  if (words == NULL) return;
  uintptr_t section;
  must(sscanf(words, "%u %" SCNuPTR, &this_child, &section) == 2);
  unsetenv("HARNESS_CHILD");
  SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
  SetUnhandledExceptionFilter(crashed);
  end_of_this = map((HANDLE)section);
  end_of_this->began = 1;
  tap_become_child(&failures);
}

static void run(child_function_t function, void *argument, size_t pc) {
  failures = 0;
  expected_pc = pc;
  function(argument);
  leave(0, 0);
  _exit(tap_child_status());
}

/*
 * Starts a child and waits for its end. Now and then, on a busy machine, Wine does not get as far as the program; then
 * there is no process, or one that has ended without a word. That is said, and tried again: a child that has begun is
 * never run twice.
 */
static int try_child(HANDLE section, HANDLE standard_error, const end_t *end, DWORD *code) {
  char program[MAX_PATH], words[64];
  must(GetModuleFileNameA(NULL, program, sizeof program) != 0);
  snprintf(words, sizeof words, "%u %" PRIuPTR, started, (uintptr_t)section);
  STARTUPINFOA startup;
  memset(&startup, 0, sizeof startup);
  startup.cb = sizeof startup;
  startup.dwFlags = STARTF_USESTDHANDLES;
  startup.hStdInput = INVALID_HANDLE_VALUE;
  startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
  startup.hStdError = standard_error;
  PROCESS_INFORMATION process;
  must(SetEnvironmentVariableA("HARNESS_CHILD", words) != 0);
  const int has_started = CreateProcessA(program, NULL, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process) != 0;
  const DWORD error = GetLastError();
  must(SetEnvironmentVariableA("HARNESS_CHILD", NULL) != 0);
  if (!has_started) {
    fprintf(stderr, "child %u was not started: error %lu\n", started, error);
    return 0;
  }
  must(WaitForSingleObject(process.hProcess, INFINITE) == WAIT_OBJECT_0);
  must(GetExitCodeProcess(process.hProcess, code) != 0);
  CloseHandle(process.hThread);
  CloseHandle(process.hProcess);
  if (!end->began) fprintf(stderr, "child %u has ended with %#lx before it began\n", started, *code);
  return end->began;
}

/* The next child, from its start to its end. False in a child that is on its way to another one. */
static int had_child_writing_to(HANDLE standard_error, child_function_t function, void *argument, size_t pc, end_t *end,
                                DWORD *code) {
  enum { MOST_TRIES = 5 };
  started++;
  if (this_child == started) run(function, argument, pc);
  if (this_child != 0) return 0;
  SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
  const HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, &inherited, PAGE_READWRITE, 0, sizeof *end, NULL);
  must(section != NULL);
  end_t *const shared = map(section);
  int tries = 1;
  while (!try_child(section, standard_error, shared, code)) {
    must(tries < MOST_TRIES);
    Sleep(100U << tries++);
  }
  *end = *shared;
  must(UnmapViewOfFile(shared) != 0 && CloseHandle(section) != 0);
  return 1;
}

static int had_child(child_function_t function, void *argument, size_t pc, end_t *end, DWORD *code) {
  return had_child_writing_to(GetStdHandle(STD_ERROR_HANDLE), function, argument, pc, end, code);
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
      return code == EXCEPTION_ACCESS_VIOLATION || code == EXCEPTION_STACK_OVERFLOW ||
             code == EXCEPTION_IN_PAGE_ERROR;
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

int child_dies_saying(int signal, child_function_t function, void *argument, char *text, size_t size,
                      const char *name) {
  SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
  HANDLE reader, writer;
  must(CreatePipe(&reader, &writer, &inherited, 0) != 0);
  end_t end;
  DWORD code, length = 0;
  const int had = had_child_writing_to(writer, function, argument, 0, &end, &code);
  CloseHandle(writer);
  if (had) {
    if (ReadFile(reader, text, (DWORD)size - 1, &length, NULL) == 0) length = 0;
    text[length] = 0;
    const int good = ok(is_end_by(signal, code) && end.failures == 0, "%s", name);
    if (!good) tap_note("expected what is signal %d elsewhere, the child ended with %#lx", signal, code);
  }
  CloseHandle(reader);
  return had;
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
