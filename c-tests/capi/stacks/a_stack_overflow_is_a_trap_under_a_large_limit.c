/* The main thread's stack may grow to more than the kernel keeps free below other stacks. Where it ends then, small
 * frames and big ones are "call stack exhausted". */
#include <sys/resource.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

static void overflow(const wasm_code_t *code, const char *name) {
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(code, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, name);
  same(trap.flags & WASMTRAP_HAS_STACK_GUARD, WASMTRAP_HAS_STACK_GUARD, "... in the guard area of the stack");
}

/* The limit counts for the memory map of a new program image. */
static void run_again(void *path) {
  struct rlimit limit;
  must(getrlimit(RLIMIT_STACK, &limit) == 0);
  limit.rlim_cur = (rlim_t)160 << 20;
  must(setrlimit(RLIMIT_STACK, &limit) == 0);
  char again[] = "again";
  char *const arguments[] = {path, again, NULL};
  execv(path, arguments);
  must(0 && "execv came back");
}

int main(int argc, char **argv) {
  if (argc > 1) {
    tap_become_child(NULL);
    host_init();
    host_register_strict_code(&wasm_recurse);
    host_register_strict_code(&wasm_recurse_big);
    overflow(&wasm_recurse_big, "big frames");
    overflow(&wasm_recurse, "small frames");
    return tap_child_status();
  }
#if EMULATED
  (void)argv;
  tap_skip("an emulated program cannot start itself", "a large limit");
#else
  struct rlimit limit;
  must(getrlimit(RLIMIT_STACK, &limit) == 0);
  if (limit.rlim_max < (rlim_t)160 << 20) return tap_skip_all("this process may have no such limit");
  child_passes(run_again, argv[0], "with 160 MiB");
#endif
  return tap_done();
}
