/* There is nowhere to go for wasmtrap_raise outside of a protected call: it says so on standard error, and aborts. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

static int ends[2];

static void standard_error_to_pipe(void) { must(dup2(ends[1], STDERR_FILENO) >= 0); }

static void before_init(void *unused) {
  (void)unused;
  standard_error_to_pipe();
  wasmtrap_raise(WASMTRAP_CODE_UNREACHABLE, 0);
}

static void never_inside(void *unused) {
  (void)unused;
  standard_error_to_pipe();
  host_init();
  wasmtrap_raise(WASMTRAP_CODE_UNREACHABLE, 0);
}

static void nothing(void *unused) { (void)unused; }

static void after_a_call(void *unused) {
  (void)unused;
  standard_error_to_pipe();
  host_init();
  must(wasmtrap_call(nothing, NULL, NULL) == WASMTRAP_OK);
  wasmtrap_raise(WASMTRAP_CODE_USER + 7, 0);
}

static void aborts(void (*function)(void *), const char *name) {
  must(pipe(ends) == 0);
  child_dies_of(SIGABRT, function, NULL, name);
  close(ends[1]);
  char text[512] = "";
  must(read(ends[0], text, sizeof text - 1) >= 0);
  close(ends[0]);
  contains(text, "wasmtrap_raise", "the sentence names the function");
  /* What follows the line, if anything does, comes from an emulator. */
  char *const end = strchr(text, '\n');
  ok(end != NULL && strstr(end, "wasmtrap") == NULL, "and is one line");
}

int main(void) {
  aborts(before_init, "before wasmtrap_init");
  aborts(never_inside, "on a thread that was never inside of one");
  aborts(after_a_call, "after one");
  return tap_done();
}
