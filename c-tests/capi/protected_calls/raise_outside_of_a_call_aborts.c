/* There is nowhere to go for wasmtrap_raise outside of a protected call: it says so on standard error, and aborts. */
#include <signal.h>
#include <string.h>

#include "host.h"
#include "process.h"

static void before_init(void *unused) {
  (void)unused;
  wasmtrap_raise(WASMTRAP_CODE_UNREACHABLE, 0);
}

static void never_inside(void *unused) {
  (void)unused;
  host_init();
  wasmtrap_raise(WASMTRAP_CODE_UNREACHABLE, 0);
}

static void nothing(void *unused) { (void)unused; }

static void after_a_call(void *unused) {
  (void)unused;
  host_init();
  must(wasmtrap_call(nothing, NULL, NULL) == WASMTRAP_OK);
  wasmtrap_raise(WASMTRAP_CODE_USER + 7, 0);
}

static void aborts(void (*function)(void *), const char *name) {
  char text[512];
  if (!child_dies_saying(SIGABRT, function, NULL, text, sizeof text, name)) return;
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
