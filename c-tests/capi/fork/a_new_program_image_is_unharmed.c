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

/* What is started: this program again, told by an argument what to do. An emulator cannot start that, but it can start
 * the machine's own shell, which is told the same in other words. */
enum { ENDS_WITH = 7 };
#if EMULATED
static char program[] = "/bin/sh";
static char *const exits[] = {program, (char[]){"-c"}, (char[]){"exit 7"}, NULL};
static char *const dies_of_segv[] = {program, (char[]){"-c"}, (char[]){"kill -SEGV $$; exit 3"}, NULL};
#else
static char *program;
static char *exits[] = {NULL, (char[]){"exit"}, NULL};
static char *dies_of_segv[] = {NULL, (char[]){"die"}, NULL};
#endif

/* It dies of a signal, if its disposition is the default; of nothing, if not. */
static int do_as_told(const char *what) {
  if (strcmp(what, "die") == 0) raise(SIGSEGV);
  return strcmp(what, "exit") == 0 ? ENDS_WITH : 3;
}

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
    execve(program, arguments, environ);
    _exit(99);
  }
  return ended(child);
}

static int by_spawn(char *const arguments[]) {
  pid_t child = 0;
  must(posix_spawn(&child, program, NULL, NULL, arguments, environ) == 0);
  return ended(child);
}

static void start_all(void *unused) {
  (void)unused;
  int status = by_vfork(exits);
  ok(WIFEXITED(status) && WEXITSTATUS(status) == ENDS_WITH, "vfork and exec");
  status = by_vfork(dies_of_segv);
  ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "vfork and exec: SIGSEGV has its default disposition");
  status = by_spawn(exits);
  ok(WIFEXITED(status) && WEXITSTATUS(status) == ENDS_WITH, "posix_spawn");
  status = by_spawn(dies_of_segv);
  ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "posix_spawn: SIGSEGV has its default disposition");
  ok(library_traps(), "a trap in the parent is a trap");
}

int main(int argc, char **argv) {
  if (argc == 2) return do_as_told(argv[1]);
#if !EMULATED
  program = exits[0] = dies_of_segv[0] = argv[0];
#endif
  host_init();
  start_all(NULL);
  same(wasmtrap_call(start_all, NULL, NULL), WASMTRAP_OK, "the same inside of a protected call");
  host_register_code(&wasm_call_import);
  wasm_import_t import = {start_all, NULL};
  wasmtrap_trap_t trap;
  same(host_call(&wasm_call_import, &import, &trap), WASMTRAP_OK, "and below WebAssembly");
  return tap_done();
}
