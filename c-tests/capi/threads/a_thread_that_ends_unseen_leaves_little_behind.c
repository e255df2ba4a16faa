/* A destructor of a thread-specific value that calls in, in each of pthread's rounds, attaches its thread again when
 * the library's own destructor has run for the last time. What that leaves is freed as other threads are attached. */
#include <pthread.h>

#include "host.h"

#if defined(__linux__)

enum { THREADS = 400, FEW = 64 };

static unsigned char *page;
static pthread_key_t key;
static int calls, traps;

static void trap_once(void) {
  wasmtrap_trap_t trap;
  calls++;
  traps += host_load(&wasm_load, page, &trap) == WASMTRAP_TRAPPED;
}

static void call_in(void *value) {
  trap_once();
  must(pthread_setspecific(key, value) == 0);
}

static void *with_a_destructor(void *value) {
  must(pthread_setspecific(key, value) == 0);
  trap_once();
  return NULL;
}

int main(void) {
  page = inaccessible_page();
  /* Only a system with signals tells: what Mach ports hold of such a thread stays. */
  host_init_with_signals();
  host_register_code(&wasm_load);
  trap_once();
  /* Behind the library's in each round. */
  must(pthread_key_create(&key, call_in) == 0);
  for (int i = 0; i < THREADS; i++) {
    pthread_t thread;
    must(pthread_create(&thread, NULL, with_a_destructor, &key) == 0 && pthread_join(thread, NULL) == 0);
  }
  same(traps, calls, "each call in a destructor trapped");
  ok(calls > 2 * THREADS, "and there were several in a thread");
  ok(attached_threads() <= FEW + 1, "%lu threads are attached after %d", attached_threads(), THREADS);
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "wasmtrap_thread_detach");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "wasmtrap_shutdown");
  return tap_done();
}

#else

int main(void) { return tap_skip_all("only Linux tells whether a thread has ended"); }

#endif
