/* Two words for each thread, NULL at first, before the platform is set up too; a number that is none does no harm. */
#include <pthread.h>

#include "platform.h"
#include "tap.h"

static void *look(void *argument) {
  (void)argument;
  ok(wasmtime_tls_get(0) == NULL && wasmtime_tls_get(1) == NULL, "another thread's are NULL at first");
  wasmtime_tls_set(0, (uint8_t *)&argument);
  ok(wasmtime_tls_get(0) == (uint8_t *)&argument && wasmtime_tls_get(1) == NULL, "it has its own");
  return NULL;
}

static void on_another_thread(void) {
  pthread_t thread;
  must(pthread_create(&thread, NULL, look, NULL) == 0);
  pthread_join(thread, NULL);
}

int main(void) {
  uint8_t one, two;
  ok(wasmtime_tls_get(0) == NULL && wasmtime_tls_get(1) == NULL, "NULL at first");
  wasmtime_tls_set(0, &one);
  wasmtime_tls_set(1, &two);
  wasmtime_tls_set(2, &two);
  wasmtime_tls_set(SIZE_MAX, &two);
  ok(wasmtime_tls_get(0) == &one && wasmtime_tls_get(1) == &two, "each keeps its own");
  ok(wasmtime_tls_get(2) == NULL && wasmtime_tls_get(SIZE_MAX) == NULL, "there are two");
  on_another_thread();
  must(wasmtime_init_traps(jump_out) == 0);
  on_another_thread();
  ok(wasmtime_tls_get(0) == &one, "nobody else has changed them");
  return tap_done();
}
