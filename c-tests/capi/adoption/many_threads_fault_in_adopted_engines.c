/* Faults of two adopted engines and of the library's on many threads, while a third engine is adopted, released and
 * taken away again and again: each fault comes to whose it is. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "fake_engine.h"
#include "host.h"
#include "meeting.h"

enum { THREADS = 4, ROUNDS = 1500, ADOPTIONS = 60 };

static meeting_t start = MEETING_OF(THREADS + 1);
static wasm_code_t host_code;
static volatile int running = THREADS;

static void *faults(void *wrong_out) {
  int *const wrong = wrong_out;
  unsigned char *const page = inaccessible_page();
  meet(&start);
  for (int i = 0; i < ROUNDS; i++) {
    wasm_access_t access = {address_of(page), 1};
    if (!engine_run(0, &engines[0].codes[0], &access)) ++*wrong;
    if (!engine_run(1, &engines[1].codes[0], &access)) ++*wrong;
    wasmtrap_trap_t trap;
    if (host_load(&host_code, page, &trap) != WASMTRAP_TRAPPED) ++*wrong;
  }
  __atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

int main(void) {
  host_init();
  for (int i = 0; i < 3; i++) {
    engine_compile(i, &wasm_load);
    engines[i].flags = i == 1 ? 0 : SA_ONSTACK;
    engines[i].answer = i == 1 ? ANSWER_JUMPS : ANSWER_REDIRECTS;
  }
  host_code = wasm_compile(&wasm_load);
  host_register_code(&host_code);
  for (int i = 0; i < 2; i++) engine_adopt(i, 0, 0);
  pthread_t threads[THREADS];
  int wrong[THREADS] = {0};
  for (int i = 0; i < THREADS; i++) must(pthread_create(&threads[i], NULL, faults, &wrong[i]) == 0);
  meet(&start);
  int adopted = 0, good = 0;
  while (adopted < ADOPTIONS || __atomic_load_n(&running, __ATOMIC_SEQ_CST) != 0) {
    adopted++;
    const uint64_t id = engine_adopt(2, 0, 0);
    int right = engine_traps(2);
    right &= wasmtrap_adopt_release(id) == WASMTRAP_OK;
    right &= engine_traps(2);
    good += right && engine_uninstall(2);
  }
  same(good, adopted, "the third engine has its own each time");
  for (int i = 0; i < THREADS; i++) {
    must(pthread_join(threads[i], NULL) == 0);
    same(wrong[i], 0, "thread %d: each fault came to whose it was", i);
  }
  return tap_done();
}
