/* Threads that WAMR prepares one after the other and all at once trap in instances of their own, and those that end
 * take nothing from the others. */
#include <pthread.h>
#include <string.h>

#include "tap.h"
#include "wamr_host.h"

enum { THREADS = 8, TRAPS = 500 };

static void *run(void *traps) {
  must(wasm_runtime_init_thread_env());
  guest_t guest = guest_new("memory");
  for (int i = 0; i < TRAPS; i++) {
    const char *words = guest_call(&guest, "load", 65536 + i);
    *(int *)traps += words != NULL && strcmp(words, OUT_OF_BOUNDS) == 0;
  }
  guest_delete(&guest);
  wasm_runtime_destroy_thread_env();
  return NULL;
}

int main(void) {
  runtime_begin(NULL);
  for (int round = 0; round < 3; round++) {
    pthread_t threads[THREADS];
    int traps[THREADS] = {0}, sum = 0;
    for (int i = 0; i < THREADS; i++) must(pthread_create(&threads[i], NULL, run, &traps[i]) == 0);
    for (int i = 0; i < THREADS; i++) must(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < THREADS; i++) sum += traps[i];
    same(sum, THREADS * TRAPS, "round %d: every thread had all of its traps", round);
  }
  guest_t guest = guest_new("memory");
  same_text(guest_call(&guest, "load", 65536), OUT_OF_BOUNDS, "the thread that outlived them traps");
  guest_delete(&guest);
  runtime_end();
  return tap_done();
}
