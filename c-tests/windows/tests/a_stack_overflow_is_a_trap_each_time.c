/* A stack overflow of WebAssembly is a trap on any thread, again and again: the guard is put back each time. */
#include <pthread.h>

#include "host.h"

enum { TIMES = 5 };

static void overflow(const char *where) {
  for (int i = 0; i < TIMES; i++) {
    wasm_access_t depth = {0, 0};
    wasmtrap_trap_t trap;
    trapped_with(host_call(&wasm_recurse, &depth, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, where);
    ok((trap.flags & WASMTRAP_HAS_STACK_GUARD) != 0 && depth.value > 1000, "%s: after %llu calls", where,
       (unsigned long long)depth.value);
    trapped_with(host_call(&wasm_recurse_big, &depth, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, where);
  }
}

static void *on_a_thread(void *unused) {
  overflow("on another thread");
  return unused;
}

int main(void) {
  host_init();
  host_register_code(&wasm_recurse);
  host_register_code(&wasm_recurse_big);
  overflow("on the main thread");
  pthread_t thread;
  must(pthread_create(&thread, NULL, on_a_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
  return tap_done();
}
