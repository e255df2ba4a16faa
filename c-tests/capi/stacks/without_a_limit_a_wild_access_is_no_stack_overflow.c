/* Under `ulimit -s unlimited` the main thread's stack may become as large as the hole below it, tens of terabytes. A
 * load from somewhere in there is a crash as anywhere, in a strict range; where the stack really ends, because there is
 * no more memory, is an overflow. */
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

static void limit(int resource, rlim_t value) {
  const struct rlimit both = {value, value};
  must(setrlimit(resource, &both) == 0);
}

static void wild_load(void *address) {
  host_init();
  host_register_strict_code(&wasm_load);
  wasmtrap_trap_t trap;
  (void)host_load(&wasm_load, address, &trap);
}

static void overflow(void *unused) {
  (void)unused;
  host_init();
  host_register_strict_code(&wasm_recurse);
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_recurse, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, "no more memory");
  same(trap.flags & WASMTRAP_HAS_STACK_GUARD, WASMTRAP_HAS_STACK_GUARD, "... at the end of the stack");
  ok(access.value > 8 * 1024 * 1024 / 64, "... after %llu calls", (unsigned long long)access.value);
}

static void check_all(void) {
  /* A stack that grew into all of the memory there is would take the machine's. */
  limit(RLIMIT_AS, (rlim_t)192 << 20);
  const unsigned char local = 0;
  const size_t here = (size_t)(uintptr_t)&local;
  static const int shifts[] = {30, 34, 38, 42, 44};
  for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
    void *const address = (void *)(uintptr_t)(here - ((size_t)1 << shifts[i]));
    child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), wild_load, address, "a load far below what is used of the stack");
  }
  child_passes(overflow, NULL, "an overflow");
}

int main(int argc, char **argv) {
#if EMULATED
  (void)argc;
  (void)argv;
  (void)check_all;
  return tap_skip_all("an emulated program cannot start itself");
#else
  if (argc > 1) {
    check_all();
    return tap_done();
  }
  struct rlimit stack;
  must(getrlimit(RLIMIT_STACK, &stack) == 0);
  if (stack.rlim_max != RLIM_INFINITY) return tap_skip_all("the stack's hard limit is finite here");
  stack.rlim_cur = RLIM_INFINITY;
  must(setrlimit(RLIMIT_STACK, &stack) == 0);
  /* The kernel lays the process out by the limit. */
  char again[] = "again";
  char *const arguments[] = {argv[0], again, NULL};
  execv(argv[0], arguments);
  must(0 && "execv came back");
#endif
}
