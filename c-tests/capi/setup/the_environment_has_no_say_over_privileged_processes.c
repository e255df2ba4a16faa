/* A process with more rights than who started it does not listen to WASMTRAP_BACKEND. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

static char *program;

/* An ordinary user's process that runs a program with root's rights, as a set-user-ID program has them. */
static void start_privileged(void *unused) {
  (void)unused;
  must(setenv("WASMTRAP_BACKEND", "nonsense", 1) == 0);
  must(setreuid(65534, 0) == 0);
  execl(program, program, "privileged", (char *)NULL);
  must(!"exec");
}

static void start_as_it_is(void *unused) {
  (void)unused;
  must(setenv("WASMTRAP_BACKEND", "nonsense", 1) == 0);
  execl(program, program, "plain", (char *)NULL);
  must(!"exec");
}

int main(int count, char **arguments) {
  program = arguments[0];
  if (count > 1) {
    const int privileged = strcmp(arguments[1], "privileged") == 0;
    return wasmtrap_init(NULL) == (privileged ? WASMTRAP_OK : WASMTRAP_ERR_INVALID_ARGUMENT) ? 0 : 1;
  }
  if (EMULATED) return tap_skip_all("an emulated program cannot start itself");
  if (geteuid() != 0) return tap_skip_all("only root can give a process more rights than who starts it");
  child_passes(start_as_it_is, NULL, "an ordinary process listens, and finds nonsense");
  child_passes(start_privileged, NULL, "a privileged one does not");
  return tap_done();
}
