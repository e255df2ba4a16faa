/* WebAssembly that calls its host on ever less stack traps, on stacks of any size and on the first thread's: never does
 * the host run into the guard, because it asks for the stack that it needs. */
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>

#include "caller.h"
#include "process.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_caller;

WASM_ACTION(caller, call_out_ever_deeper)
WASM_INSTANTIATE(caller, (instance, NULL))

static w2c_caller instance;

enum { NEEDED = 32768 };

/* Uses a good part of what it has asked for, in the C library too. */
void w2c_host_enter(struct w2c_host *host, u32 what) {
  (void)host;
  wasm_rt_wasmtrap_reserve_stack(NEEDED);
  volatile char used[NEEDED / 2];
  used[0] = (char)what;
  char text[64];
  snprintf(text, sizeof text, "%.17g %d", (double)what / 3, used[0]);
}

static void *overflow(void *name) {
  for (int i = 0; i < 3; i++) {
    wasmtrap_trap_t trap;
    trapped_with(wasm_host_call(call_out_ever_deeper_of_caller, &instance, 1, NULL, &trap), &trap,
                 WASMTRAP_CODE_STACK_OVERFLOW, name);
    ok((trap.flags & WASMTRAP_HAS_STACK_GUARD) != 0, "in the guard area");
  }
  return NULL;
}

static void overflow_on_the_first_thread(void *name) {
  overflow(name);
}

int main(void) {
  wasm_host_set_up();
  wasm_host_add(&wasm_module_caller);
  wasm_host_result(instantiate_caller, &instance, 0);

  static const size_t sizes[] = {192 << 10, (256 << 10) + 4096, 1 << 20, (8 << 20) + 12288};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    char name[40];
    snprintf(name, sizeof name, "a stack of %zu KiB", sizes[i] >> 10);
    pthread_attr_t attributes;
    pthread_t thread;
    must(pthread_attr_init(&attributes) == 0);
    must(pthread_attr_setstacksize(&attributes, sizes[i]) == 0);
    must(pthread_create(&thread, &attributes, overflow, name) == 0);
    must(pthread_join(thread, NULL) == 0);
  }

  /* The limit of a running process holds for the rest of its first stack's growth. */
  struct rlimit limit;
  must(getrlimit(RLIMIT_STACK, &limit) == 0);
  if (limit.rlim_cur == RLIM_INFINITY) {
    limit.rlim_cur = 8 << 20;
    must(setrlimit(RLIMIT_STACK, &limit) == 0);
  }
  child_passes(overflow_on_the_first_thread, "the first thread's stack", "the first thread's stack");
  wasm2c_caller_free(&instance);
  return tap_done();
}
