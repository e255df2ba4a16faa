/* pthread_cancel and pthread_exit may end a thread inside of protected calls: clean-up handlers run, the library's
 * included, and the process goes on. */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "host.h"

static volatile int cleaned_up;
static volatile int inside;

static void clean_up(void *unused) {
  (void)unused;
  cleaned_up++;
}

static void wait_for_cancellation(void *unused) {
  pthread_cleanup_push(clean_up, unused);
  __atomic_add_fetch(&inside, 1, __ATOMIC_RELEASE);
  for (;;) pause();
  pthread_cleanup_pop(0);
}

static void exit_thread(void *unused) {
  pthread_cleanup_push(clean_up, unused);
  pthread_exit((void *)42);
  pthread_cleanup_pop(0);
}

static void call(void *function) {
  wasmtrap_call(*(const wasmtrap_function_t *)function, NULL, NULL);
}

/* Two protected calls deep. */
static void *run(void *function) {
  wasmtrap_call(call, function, NULL);
  return NULL;
}

/* Cleans up, and traps once more on the way out. */
static void trap_in_clean_up(void *result) { *(volatile int *)result = library_traps(); }

static void exit_with_trap_in_clean_up(void *unused) {
  static volatile int result;
  (void)unused;
  pthread_cleanup_push(trap_in_clean_up, (void *)(uintptr_t)&result);
  pthread_exit((void *)(uintptr_t)&result);
  pthread_cleanup_pop(0);
}

int main(void) {
  host_init();
  wasmtrap_function_t function = wait_for_cancellation;
  for (int i = 0; i < 20; i++) {
    pthread_t thread;
    void *result = NULL;
    must(pthread_create(&thread, NULL, run, &function) == 0);
    while (__atomic_load_n(&inside, __ATOMIC_ACQUIRE) == i) sched_yield();
    must(pthread_cancel(thread) == 0);
    must(pthread_join(thread, &result) == 0);
    ok(result == PTHREAD_CANCELED && cleaned_up == i + 1, "cancelled inside of a protected call");
  }

  cleaned_up = 0;
  function = exit_thread;
  for (int i = 0; i < 20; i++) {
    pthread_t thread;
    void *result = NULL;
    must(pthread_create(&thread, NULL, run, &function) == 0);
    must(pthread_join(thread, &result) == 0);
    ok(result == (void *)42 && cleaned_up == i + 1, "pthread_exit inside of a protected call");
  }

  function = exit_with_trap_in_clean_up;
  pthread_t thread;
  void *result = NULL;
  must(pthread_create(&thread, NULL, run, &function) == 0);
  must(pthread_join(thread, &result) == 0);
  ok(result != NULL && *(volatile int *)result == 1, "a clean-up handler may run WebAssembly that traps");

  ok(library_traps(), "the other threads are unharmed");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "no protected call is left: shutdown is not refused");
  return tap_done();
}
