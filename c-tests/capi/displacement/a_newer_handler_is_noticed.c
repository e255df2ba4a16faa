/* wasmtrap_check tells for which kinds of fault another handler was installed over the library's; wasmtrap_describe
 * says whose it is. */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "host.h"

static void newer(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
}

static void displaced(uint32_t expected, const char *name) {
  uint32_t kinds = 0xa5a5a5a5;
  same(wasmtrap_check(&kinds), WASMTRAP_OK, "wasmtrap_check");
  same(kinds, expected, "%s", name);
}

/* Installed and taken away again. */
static void displaced_by(int signal, uint32_t expected) {
  const struct sigaction ours = install_handler(signal, newer, SA_ONSTACK);
  displaced(expected, strsignal(signal));
  must(sigaction(signal, &ours, NULL) == 0);
  displaced(0, "ours again");
}

int main(void) {
  host_init();
  displaced(0, "nothing is displaced at first");
  displaced_by(SIGSEGV, WASMTRAP_FAULT_MEMORY);
  displaced_by(SIGBUS, WASMTRAP_FAULT_MEMORY);
  displaced_by(SIGILL, WASMTRAP_FAULT_ILLEGAL);
  displaced_by(SIGFPE, WASMTRAP_FAULT_ARITHMETIC);
  displaced_by(SIGTRAP, 0);
  same(wasmtrap_check(NULL), WASMTRAP_OK, "nobody needs to ask which");

  char *const before = described();
  install_handler(SIGSEGV, newer, 0);
  install_handler(SIGFPE, newer, 0);
  displaced(WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ARITHMETIC, "two kinds at once");
  char *const after = described();
  ok(strcmp(before, after) != 0, "the description says so");
#if defined(__APPLE__)
  const char *const program = getprogname();
#else
  const char *const program = program_invocation_short_name;
#endif
  char *const line = strstr(after, "SIGSEGV");
  ok(line != NULL && strstr(before, "SIGSEGV") != NULL, "signal by signal");
  char *const end = strchr(line, '\n');
  if (end != NULL) *end = 0;
  /* A static program has no loader that could tell. */
  Dl_info info;
  const int told = dladdr((void *)(uintptr_t)newer, &info) != 0;
  contains(line, told ? program : "displaced by 0x", "and names the object that the newer handler is in");
  must(signal(SIGSEGV, SIG_DFL) != SIG_ERR);
  displaced(WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ARITHMETIC, "SIG_DFL displaces, too");
  free(before);
  free(after);
  return tap_done();
}
