/* A host that is built with AddressSanitizer: its frames, with what the sanitizer has poisoned in them, are dropped
 * by traps by faults, by wasmtrap_raise and by a stack overflow, on the main thread and on others. Nothing of them
 * is poisoned afterwards, and the sanitizer, which would end the process, sees no error in what uses that stack
 * next. Where it keeps locals in the heap, the room for them is used up on the way, and the stack comes in use after
 * all. */
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <string.h>

#include "host.h"

enum { DEPTH = 20 };

static volatile char sink;

typedef struct work_t {
  void (*trap)(struct work_t *work);
  int rounds;
  char *deepest;
} work_t;

static void trap_by_a_fault(work_t *work) {
  static unsigned char *page;
  if (page == NULL) page = inaccessible_page();
  wasm_access_t access = {.address = address_of(page)};
  (void)work;
  wasm_load.function(&access);
}

static void trap_by_a_raise(work_t *work) {
  (void)work;
  wasmtrap_raise(WASMTRAP_CODE_USER, 0);
}

static void trap_by_an_overflow(work_t *work) {
  (void)work;
  wasm_access_t access = {0};
  wasm_recurse.function(&access);
}

/* Frames with redzones. */
__attribute__((noinline)) static void go_down(work_t *work, int depth) {
  char here[200];
  memset(here, depth, sizeof here);
  sink = here[depth];
  work->deepest = here;
  if (depth > 0) {
    go_down(work, depth - 1);
  } else {
    work->trap(work);
  }
  sink = here[depth + 1];
}

static void start(void *work) { go_down(work, DEPTH); }

/* Frames in the same place that are laid out otherwise. */
__attribute__((noinline)) static int use_the_stack(int depth) {
  char here[3000];
  memset(here, depth, sizeof here);
  return here[depth] + (depth > 0 ? use_the_stack(depth - 1) : 0);
}

static void *run_rounds(void *argument) {
  work_t work = *(work_t *)argument;
  int trapped = 0, poisoned = 0;
  for (int i = 0; i < work.rounds; i++) {
    trapped += wasmtrap_call(start, &work, NULL) == WASMTRAP_TRAPPED;
    char *const here = __builtin_frame_address(0);
    if (work.deepest < here && here - work.deepest < 1 << 20) {
      poisoned += __asan_region_is_poisoned(work.deepest, (size_t)(here - work.deepest) - 512) != NULL;
    }
    sink = (char)use_the_stack(5);
  }
  same(trapped, work.rounds, "each of them traps");
  same(poisoned, 0, "and leaves nothing poisoned");
  return NULL;
}

static void run(void (*trap)(work_t *), int rounds, const char *name) {
  tap_note("%s", name);
  work_t work = {.trap = trap, .rounds = rounds};
  run_rounds(&work);
  pthread_t thread;
  must(pthread_create(&thread, NULL, run_rounds, &work) == 0);
  must(pthread_join(thread, NULL) == 0);
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  host_register_code(&wasm_recurse);
  run(trap_by_a_fault, 2000, "faults");
  run(trap_by_a_raise, 2000, "wasmtrap_raise");
  run(trap_by_an_overflow, 50, "stack overflows");
  return tap_done();
}
