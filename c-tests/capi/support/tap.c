#include "tap.h"

#if defined(_WIN32)
#include <windows.h>
#endif

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Far more than the slowest program takes under an emulator; it only keeps a hang from lasting for ever. A child's ends
 * sooner, so that its parent can say which it was. */
#ifndef HANG_SECONDS
#define HANG_SECONDS 600
#endif
enum { ALARM_SECONDS = HANG_SECONDS, CHILDS_ALARM_SECONDS = HANG_SECONDS - 60 };

static int checks;
static int failures;
static int in_child;
static int *parents_count;

__attribute__((constructor)) static void limit_hangs(void) { alarm(ALARM_SECONDS); }

/* One write a line: lines of parent and child do not mix, and nothing waits in a buffer for a process that dies. What
 * belongs to a failure is written to the standard error as well: prove shows no comments. */
static void print_line(const char *line) {
  char text[2048];
  const int length = snprintf(text, sizeof text, "%s\n", line);
  const size_t size = (size_t)length < sizeof text ? (size_t)length : sizeof text - 1;
  if (write(STDOUT_FILENO, text, size) < 0) _exit(1);
  if (failures > 0 && line[0] == '#' && write(STDERR_FILENO, text, size) < 0) _exit(1);
}

static void print(const char *format, ...) TAP_PRINTF(1, 2);
static void print(const char *format, ...) {
  char line[2000];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  print_line(line);
}

static int report(int good, const char *file, int line, const char *format, va_list arguments) {
  char name[512];
  vsnprintf(name, sizeof name, format, arguments);
  checks++;
  if (!good) {
    failures++;
    if (parents_count != NULL) ++*parents_count;
  }
  if (!in_child) print("%s %d - %s", good ? "ok" : "not ok", checks, name);
  if (!good) print("#   %sfailed at %s:%d: %s", in_child ? "in a child: " : "", file, line, name);
  return good;
}

int tap_check(int good, const char *file, int line, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  report(good, file, line, format, arguments);
  va_end(arguments);
  return good;
}

int tap_number(uint64_t got, uint64_t expected, const char *file, int line, const char *format, ...) {
  const int good = got == expected;
  va_list arguments;
  va_start(arguments, format);
  report(good, file, line, format, arguments);
  va_end(arguments);
  if (!good) {
    print("#        got: %lld (0x%llx)", (long long)got, (unsigned long long)got);
    print("#   expected: %lld (0x%llx)", (long long)expected, (unsigned long long)expected);
  }
  return good;
}

int tap_contains(const char *text, const char *part, const char *file, int line, const char *format, ...) {
  const int good = text != NULL && strstr(text, part) != NULL;
  va_list arguments;
  va_start(arguments, format);
  report(good, file, line, format, arguments);
  va_end(arguments);
  if (!good) print("#   \"%s\" is not in \"%s\"", part, text != NULL ? text : "(null)");
  return good;
}

int tap_same_text(const char *got, const char *expected, const char *file, int line, const char *format, ...) {
  const int good = got != NULL && strcmp(got, expected) == 0;
  va_list arguments;
  va_start(arguments, format);
  report(good, file, line, format, arguments);
  va_end(arguments);
  if (!good) print("#   got \"%s\", expected \"%s\"", got != NULL ? got : "(null)", expected);
  return good;
}

void tap_give_up(const char *condition, const char *file, int line) {
  const int error = errno;
  char system_error[40] = "";
#if defined(_WIN32)
  snprintf(system_error, sizeof system_error, ", GetLastError(): %lu", GetLastError());
#endif
  char text[1000];
  snprintf(text, sizeof text, "%s:%d: cannot go on, this does not hold: %s (errno: %s%s)", file, line, condition,
           strerror(error), system_error);
  failures++;
  print("# %s", text);
  _exit(255);
}

void tap_skip(const char *reason, const char *format, ...) {
  char name[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(name, sizeof name, format, arguments);
  va_end(arguments);
  checks++;
  if (!in_child) print("ok %d - %s # SKIP %s", checks, name, reason);
}

void tap_note(const char *format, ...) {
  char text[4096];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  char *rest = NULL;
  for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) print("# %s", line);
}

int tap_done(void) {
  print("1..%d", checks);
  return failures == 0 ? 0 : 1;
}

int tap_skip_all(const char *reason) {
  print("1..0 # SKIP %s", reason);
  return 0;
}

void tap_become_child(int *count) {
  in_child = 1;
  parents_count = count;
  failures = 0;
  alarm(CHILDS_ALARM_SECONDS);
}

int tap_child_status(void) { return failures == 0 ? 0 : 1; }
