/* A trap leaves the alternate stack by no return of a handler. The kernel must not think that it is still in use: the
 * hundred-thousandth stack overflow of a thread is caught like the first. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "host.h"

enum { OVERFLOWS = 100000 };

static int overflow(int times) {
  int trapped = 0;
  for (int i = 0; i < times; i++) {
    wasm_access_t access = {0, 0};
    wasmtrap_trap_t trap;
    if (host_call(&wasm_recurse, &access, &trap) == WASMTRAP_TRAPPED && trap.code == WASMTRAP_CODE_STACK_OVERFLOW) {
      trapped++;
    }
  }
  return trapped;
}

static int free_alternate_stack(void) {
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0);
  return stack.ss_flags == 0;
}

static void *run(void *unused) {
  (void)unused;
  same(overflow(OVERFLOWS), OVERFLOWS, "on a thread with a small stack");
  ok(free_alternate_stack(), "its alternate stack is there, and not in use");
  return NULL;
}

int main(void) {
  host_init();
  host_register_code(&wasm_recurse);
  same(overflow(20), 20, "on the main thread");
  ok(free_alternate_stack(), "its alternate stack is there, and not in use");
  pthread_attr_t attributes;
  must(pthread_attr_init(&attributes) == 0);
  const size_t stack_size = (size_t)sysconf(_SC_THREAD_STACK_MIN) + 64 * 1024;
  must(pthread_attr_setstacksize(&attributes, stack_size) == 0);
  pthread_t thread;
  must(pthread_create(&thread, &attributes, run, NULL) == 0);
  must(pthread_join(thread, NULL) == 0);
  return tap_done();
}
