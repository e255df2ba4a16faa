/* A program that is started by vfork and exec, or posix_spawn, begins with default dispositions; its parent, also one
 * that starts it inside of a protected call, is unharmed. */
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

extern char **environ;

/* Dies of a signal, if its disposition is the default; of nothing, if not. */
static char *const dies_of_segv[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"kill -SEGV $$; exit 3"}, NULL};
static char *const exits[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"exit 7"}, NULL};

static int ended(pid_t child) {
  int status = 0;
  must(waitpid(child, &status, 0) == child);
  return status;
}

static int by_vfork(char *const arguments[]) {
#if defined(__APPLE__)
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
#endif
  const pid_t child = vfork();
  must(child >= 0);
  if (child == 0) {
    execve("/bin/sh", arguments, environ);
    _exit(99);
  }
  return ended(child);
}

static int by_spawn(char *const arguments[]) {
  pid_t child = 0;
  must(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ) == 0);
  return ended(child);
}

static void start_all(void *unused) {
  (void)unused;
  int status = by_vfork(exits);
  ok(WIFEXITED(status) && WEXITSTATUS(status) == 7, "vfork and exec");
  status = by_vfork(dies_of_segv);
  ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "vfork and exec: SIGSEGV has its default disposition");
  status = by_spawn(exits);
  ok(WIFEXITED(status) && WEXITSTATUS(status) == 7, "posix_spawn");
  status = by_spawn(dies_of_segv);
  ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "posix_spawn: SIGSEGV has its default disposition");
  ok(library_traps(), "a trap in the parent is a trap");
}

int main(void) {
  host_init();
  start_all(NULL);
  same(wasmtrap_call(start_all, NULL, NULL), WASMTRAP_OK, "the same inside of a protected call");
  host_register_code(&wasm_call_import);
  wasm_import_t import = {start_all, NULL};
  wasmtrap_trap_t trap;
  same(host_call(&wasm_call_import, &import, &trap), WASMTRAP_OK, "and below WebAssembly");
  return tap_done();
}
