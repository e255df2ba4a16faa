/* A child that is forked while other threads trap, register, unregister, come and go: it has none of those threads, and
 * all of the library. No lock is left held, no reader counted that is not there. */
#include <pthread.h>
#include <stdlib.h>

#include "host.h"
#include "process.h"
#include "thread_of_a_child.h"

enum { FORKS = 150 };

static volatile int done;
static volatile int wrong;
static void *page;

static void *trap_all_the_time(void *unused) {
  (void)unused;
  while (!done) {
    wasmtrap_trap_t trap;
    if (host_load(&wasm_load, page, &trap) != WASMTRAP_TRAPPED) wrong++;
  }
  return NULL;
}

static void *register_all_the_time(void *unused) {
  (void)unused;
  unsigned char *const buffer = wasm_code_buffer(page_size());
  const wasm_code_t load = wasm_copy(&wasm_load, buffer, 0);
  while (!done) {
    const uint64_t code = host_register_code(&load);
    const uint64_t region = host_register_region(buffer, page_size(), WASMTRAP_CODE_NONE);
    char *const text = described();
    free(text);
    if (wasmtrap_code_unregister(code) != WASMTRAP_OK || wasmtrap_region_unregister(region) != WASMTRAP_OK) wrong++;
  }
  return NULL;
}

static void *end_at_once(void *unused) {
  if (wasmtrap_thread_attach() != WASMTRAP_OK) wrong++;
  return unused;
}

static void *start_threads_all_the_time(void *unused) {
  while (!done) {
    pthread_t thread;
    must(pthread_create(&thread, NULL, end_at_once, unused) == 0);
    must(pthread_join(thread, NULL) == 0);
  }
  return NULL;
}

static void run_child(void *unused) {
  (void)unused;
  ok(library_traps(), "the child registers and traps");
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "in old code as well");
  a_thread_of_the_childs_traps();
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "it detaches its thread");
  free(described());
  uint32_t displaced = 1;
  ok(wasmtrap_check(&displaced) == WASMTRAP_OK && displaced == 0, "and nothing is displaced");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "the protected calls of threads that it does not have do not keep it busy");
}

static int fork_all(void) {
  int passed = 0;
  for (int i = 0; i < FORKS; i++) {
    const int status = child_wait(child_start(run_child, NULL));
    passed += status == 0;
  }
  return passed;
}

static void run_child_of_a_call(void *unused) {
  (void)unused;
  ok(library_traps(), "the child registers and traps");
  same(wasmtrap_shutdown(), WASMTRAP_ERR_BUSY, "it is inside of the protected call that it was forked in");
}

static void fork_once_inside(void *passed) {
  *(int *)passed = child_wait(child_start(run_child_of_a_call, NULL)) == 0;
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  page = inaccessible_page();
  void *(*const functions[])(void *) = {trap_all_the_time, register_all_the_time, start_threads_all_the_time};
  enum { THREADS = 3 };
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) must(pthread_create(&threads[i], NULL, functions[i], NULL) == 0);
  same(fork_all(), FORKS, "children of a thread outside of protected calls");
  int passed = 0;
  must(wasmtrap_call(fork_once_inside, &passed, NULL) == WASMTRAP_OK);
  ok(passed, "a child of a thread inside of one");
  done = 1;
  for (int i = 0; i < THREADS; i++) must(pthread_join(threads[i], NULL) == 0);
  same(wrong, 0, "the parent's threads noticed nothing");
  return tap_done();
}
