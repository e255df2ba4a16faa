/* A fiber that was suspended inside of protected calls goes on on another thread, and its traps land in its calls. */
#include <pthread.h>
#if defined(_WIN32)
#include <windows.h>
#elif !defined(__APPLE__)
#include <sys/syscall.h>
#endif
#include <unistd.h>

#include "fiber.h"
#include "host.h"

enum { THREADS = 8 };

static void *page;
static uint64_t ran_on[THREADS + 1];
static int resumed;

/* A system call, because the compiler takes pthread_self for constant within a function. */
static uint64_t this_thread(void) {
#if defined(__APPLE__)
  uint64_t number = 0;
  must(pthread_threadid_np(NULL, &number) == 0);
  return number;
#elif defined(_WIN32)
  return GetCurrentThreadId();
#else
  return (uint64_t)syscall(SYS_gettid);
#endif
}

static void *resume(void *fiber) {
  fiber_resume(fiber);
  return NULL;
}

static void travel(void *fiber) {
  for (int i = 0; i < THREADS; i++) {
    ran_on[resumed] = this_thread();
    /* On each thread, a call of the fiber's traps, inside of the one that travels along. */
    wasmtrap_trap_t trap;
    trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a trap on the way");
    resumed++;
    fiber_yield(fiber);
  }
  ran_on[resumed] = this_thread();
  wasm_access_t access = {address_of(page) + 16, 0};
  wasm_load.function(&access);
}

static void run(fiber_t *fiber, void *unused) {
  (void)unused;
  wasmtrap_trap_t trap = host_new_trap();
  trapped_with(wasmtrap_call(travel, fiber, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "a trap on the last thread ends the call that was made on the first");
  same(trap.fault_address, address_of(page) + 16, "it is that trap");
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  page = inaccessible_page();
  fiber_t *const fiber = fiber_new(run, NULL);
  pthread_t threads[THREADS];
  fiber_resume(fiber);
  for (int i = 0; i < THREADS; i++) {
    must(pthread_create(&threads[i], NULL, resume, fiber) == 0);
    must(pthread_join(threads[i], NULL) == 0);
  }
  same(resumed, THREADS, "it was resumed on each thread");
  ok(fiber->finished, "it has finished");
  ok(ran_on[0] != ran_on[THREADS], "not where it began");
  ok(library_traps(), "afterwards a trap is a trap");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "no protected call is left: shutdown is not refused");
  return tap_done();
}
