/* WebAssembly that recurses without end on the main thread is "call stack exhausted", time and again, also in a strict
 * range without a single region. */
#include <sys/resource.h>

#include "host.h"
#include "process.h"

static void overflow(const wasm_code_t *code, const char *name) {
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(code, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, name);
  ok((trap.flags & WASMTRAP_HAS_STACK_GUARD) != 0, "... in the guard area of the stack");
  same(trap.access, if_told(trap.exception, WASMTRAP_ACCESS_WRITE), "... by a write");
  same(trap.pc, wasm_fault_pc(code), "... at the instruction that needs the stack");
  ok(access.value > 10, "... after %llu calls", (unsigned long long)access.value);
}

static void limit_stack(rlim_t megabytes) {
  struct rlimit limit;
  must(getrlimit(RLIMIT_STACK, &limit) == 0);
  limit.rlim_cur = megabytes << 20;
  must(setrlimit(RLIMIT_STACK, &limit) == 0);
}

/* Whatever the limit was when the thread was attached. */
static void under_new_limits(void *unused) {
  (void)unused;
#if EMULATED
  tap_skip("the emulator made the stack once for all", "limits that change");
#else
  static const rlim_t limits[] = {16, 12, 32, 4};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    limit_stack(limits[i]);
    overflow(&wasm_recurse, "small frames");
    overflow(&wasm_recurse_big, "big frames");
    must(wasmtrap_thread_detach() == WASMTRAP_OK);
    overflow(&wasm_recurse, "small frames, attached again");
    overflow(&wasm_recurse_big, "big frames, attached again");
  }
#endif
}

int main(void) {
  host_init();
  same_text(wasmtrap_code_name(WASMTRAP_CODE_STACK_OVERFLOW), "call stack exhausted", "in the specification's words");
  host_register_strict_code(&wasm_recurse);
  host_register_strict_code(&wasm_recurse_big);
  for (int i = 0; i < 3; i++) {
    overflow(&wasm_recurse, "small frames");
    overflow(&wasm_recurse_big, "big frames");
  }

  size_t frames[WASMTRAP_MAX_FRAMES];
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap = host_new_trap();
  trap.frames = frames;
  trap.frames_capacity = WASMTRAP_MAX_FRAMES;
  same(wasmtrap_call(wasm_recurse.function, &access, &trap), WASMTRAP_TRAPPED, "with a backtrace");
  same(trap.frame_count, WASMTRAP_MAX_FRAMES, "of the innermost frames");
  same(trap.flags & WASMTRAP_FRAMES_TRUNCATED, WASMTRAP_FRAMES_TRUNCATED, "which says that there were more");

  limit_stack(1);
  overflow(&wasm_recurse, "when the limit has become lower than what is in use");
  child_passes(under_new_limits, NULL, "limits that change");
  return tap_done();
}
