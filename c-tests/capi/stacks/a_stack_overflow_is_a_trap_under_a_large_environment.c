/* Arguments and environment lie on top of the main thread's stack, and their size says nothing about where it ends. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

static void overflow(void) {
  host_init();
  host_register_code(&wasm_recurse);
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_recurse, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, "a stack overflow");
  same(trap.flags & WASMTRAP_HAS_STACK_GUARD, WASMTRAP_HAS_STACK_GUARD, "... in the guard area of the stack");
}

typedef struct program_t {
  char *path;
  size_t environment; /* bytes */
} program_t;

static void run_again(void *argument) {
  const program_t *const program = argument;
  char *const variable = malloc(program->environment);
  must(variable != NULL);
  memset(variable, 'x', program->environment - 1);
  variable[1] = '=';
  variable[program->environment - 1] = 0;
  char again[] = "again";
  char *const arguments[] = {program->path, again, NULL};
  char *const environment[] = {variable, NULL};
  execve(program->path, arguments, environment);
  must(0 && "execve came back");
}

int main(int argc, char **argv) {
  if (argc > 1) {
    tap_become_child(NULL);
    overflow();
    return tap_child_status();
  }
#if EMULATED
  (void)argv;
  tap_skip("an emulated program cannot start itself", "environments of many sizes");
#else
  /* Each of them puts the stack's lowest used byte into another place of its page. */
  for (size_t size = 256; size < 128 * 1024; size += 1000 + size / 4) {
    program_t program = {argv[0], size};
    child_passes(run_again, &program, "with an environment of many bytes");
  }
#endif
  return tap_done();
}
