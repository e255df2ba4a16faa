/* A host that is built with ThreadSanitizer, which keeps a stack of the functions that it is in, and ends the
 * process where that is full, at 65,536. Traps by faults and by wasmtrap_raise drop more than that. Afterwards the
 * process is in no signal handler: what may not be done in one is done, and the sanitizer has nothing to report (it
 * would end the process with a status of its own). */
#include <pthread.h>
#include <stdlib.h>

#include "host.h"

enum { DEPTH = 20, ROUNDS = 5000 };

static volatile int sink;

typedef struct work_t {
  const unsigned char *page;
  int raises;
} work_t;

__attribute__((noinline)) static void go_down(const work_t *work, int depth) {
  sink++;
  if (depth > 0) {
    go_down(work, depth - 1);
  } else if (work->raises) {
    wasmtrap_raise(WASMTRAP_CODE_USER, 0);
  } else {
    wasm_access_t access = {.address = address_of(work->page)};
    wasm_load.function(&access);
  }
  sink++;
}

static void start(void *work) { go_down(work, DEPTH); }

/* A call that returns around one that traps. */
static void nest(void *work) { *(int *)work = wasmtrap_call(start, &(work_t){.raises = 1}, NULL); }

static void *rounds(void *page) {
  int trapped = 0, returned = 0, nested = 0;
  for (int i = 0; i < ROUNDS; i++) {
    wasmtrap_trap_t trap = host_new_trap();
    work_t work = {.page = page, .raises = i % 2};
    trapped += wasmtrap_call(start, &work, &trap) == WASMTRAP_TRAPPED &&
               (work.raises ? trap.code == WASMTRAP_CODE_USER : trap.fault_address == address_of(page));
    /* In a handler the sanitizer would report it. */
    void *volatile memory = malloc(100);
    free(memory);
    returned += wasmtrap_call(nest, &nested, NULL) == WASMTRAP_OK && nested == WASMTRAP_TRAPPED;
  }
  same(trapped, ROUNDS, "each of them traps");
  same(returned, ROUNDS, "and the call around one returns");
  return NULL;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *rounds_on_a_thread(void *page) {
  /* One after the other: a single processor may be all there is. */
  must(pthread_mutex_lock(&lock) == 0);
  rounds(page);
  must(pthread_mutex_unlock(&lock) == 0);
  return NULL;
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  void *const page = inaccessible_page();
  rounds(page);
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) must(pthread_create(&threads[i], NULL, rounds_on_a_thread, page) == 0);
  for (int i = 0; i < 2; i++) must(pthread_join(threads[i], NULL) == 0);
  wasmtrap_trap_t untouched = {.struct_size = 3};
  same(wasmtrap_call(start, NULL, &untouched), WASMTRAP_ERR_STRUCT_SIZE, "a call that is refused is refused");
  return tap_done();
}
