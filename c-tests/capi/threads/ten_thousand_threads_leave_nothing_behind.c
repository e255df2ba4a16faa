/* Threads come and go; what they got from the library goes with them, whether they were detached or just ended. */
#include <pthread.h>

#include "host.h"

enum { THREADS = 10000, WARM_UP = 100 };

static volatile int wrong;
static void *page;

static void *trap_once(void *detach) {
  wasmtrap_trap_t trap;
  if (host_load(&wasm_load, page, &trap) != WASMTRAP_TRAPPED) wrong++;
  if (detach != NULL && wasmtrap_thread_detach() != WASMTRAP_OK) wrong++;
  return NULL;
}

static void *overflow_once(void *unused) {
  (void)unused;
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  if (host_call(&wasm_recurse, &access, &trap) != WASMTRAP_TRAPPED) wrong++;
  return NULL;
}

static void run(int count) {
  static int detach;
  pthread_attr_t attributes;
  must(pthread_attr_init(&attributes) == 0);
  const size_t stack_size = smallest_thread_stack() + 64 * 1024;
  must(pthread_attr_setstacksize(&attributes, stack_size) == 0);
  for (int i = 0; i < count; i++) {
    pthread_t thread;
    must(pthread_create(&thread, &attributes, i % 10 == 0 ? overflow_once : trap_once,
                        i % 2 == 0 ? NULL : &detach) == 0);
    must(pthread_join(thread, NULL) == 0);
  }
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  host_register_code(&wasm_recurse);
  page = inaccessible_page();
  run(WARM_UP);
  const size_t mappings = count_mappings();
  const size_t allocated = count_allocated();
  run(THREADS);
  same(wrong, 0, "all of them trapped, and let go");
  ok(count_mappings() <= mappings + 2, "there are as many mappings as before");
  /* A heap may grow by a page or two; a byte for each thread would be more. */
  ok(count_allocated() < allocated + THREADS, "and as much memory from malloc");
  tap_note("%zu mappings before, %zu after; %zu bytes from malloc before, %zu after", mappings, count_mappings(),
           allocated, count_allocated());
  return tap_done();
}
