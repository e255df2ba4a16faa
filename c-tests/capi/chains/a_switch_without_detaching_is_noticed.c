/* A host that switches stacks inside of protected calls and does not tell the library gets WASMTRAP_ERR_WRONG_THREAD
 * from the call that returns in the wrong place; the function has run, and the library goes on. */
#include <pthread.h>
#include <string.h>

#include "fiber.h"
#include "host.h"

static void yield(void *fiber) { fiber_yield(fiber); }

static int ran;
static wasmtrap_status_t status;
static char sentence[512];

static void on_fiber(fiber_t *fiber, void *unused) {
  (void)unused;
  wasmtrap_trap_t trap = host_new_trap();
  const wasmtrap_trap_t before = trap;
  status = wasmtrap_call(yield, fiber, &trap);
  strncpy(sentence, wasmtrap_last_error(), sizeof sentence - 1);
  ran++;
  ok(memcmp(&trap, &before, sizeof trap) == 0, "the trap record is untouched");
}

static void *start_on_thread(void *fiber) {
  fiber_resume(fiber);
  return NULL;
}

static void start_fiber(void *fiber) { fiber_resume(fiber); }

/* The same thread, but the calls end in the wrong order. */
static void *end_in_the_wrong_order(void *unused) {
  fiber_t *const fiber = fiber_new(on_fiber, NULL);
  fiber->undeclared = 1;
  const wasmtrap_status_t outer = wasmtrap_call(start_fiber, fiber, NULL);
  same(ran, 1, "a call in which a fiber enters another one returns");
  fiber_resume(fiber);
  same(ran, 2, "then the fiber's function returns");
  ok(outer == WASMTRAP_ERR_WRONG_THREAD || status == WASMTRAP_ERR_WRONG_THREAD, "one of the two calls says so");
  ok(library_traps(), "a trap is a trap");
  return unused;
}

static void run_on_thread(void *(*function)(void *), void *argument) {
  pthread_t thread;
  must(pthread_create(&thread, NULL, function, argument) == 0);
  must(pthread_join(thread, NULL) == 0);
}

int main(void) {
  host_init();
  fiber_t *const fiber = fiber_new(on_fiber, NULL);
  fiber->undeclared = 1;
  run_on_thread(start_on_thread, fiber);
  same(ran, 0, "the fiber is suspended inside of its protected call");
  fiber_resume(fiber);
  same(ran, 1, "resumed on another thread, its function returns");
  same(status, WASMTRAP_ERR_WRONG_THREAD, "and its call says that this is the wrong thread");
  contains(sentence, "wasmtrap_chain_detach", "in a sentence that tells what is missing");
  ok(library_traps(), "a trap on this thread is a trap");

  run_on_thread(end_in_the_wrong_order, NULL);
  ok(library_traps(), "a trap on this thread is a trap");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "no protected call is left: shutdown is not refused");
  return tap_done();
}
