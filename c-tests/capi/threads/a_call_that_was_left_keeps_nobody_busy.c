/* A protected call that was left by longjmp, with none further out, keeps wasmtrap_thread_detach from nothing on its
 * thread, and wasmtrap_shutdown neither there nor on another thread once its memory has been used for something
 * else. */
#include <pthread.h>

#include "host.h"
#include "meeting.h"
#include "jumps.h"
#include "process.h"

static void nothing(void *unused) { (void)unused; }

static meeting_t met = MEETING_OF(2);

static void *leave_and_stay(void *unused) {
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  leave_calls_by_a_jump(2);
  (void)use_stack(ZEROED, nothing, NULL);
  meet(&met);
  meet(&met);
  return unused;
}

static void of_another_thread(void *unused) {
  (void)unused;
  host_init();
  pthread_t thread;
  must(pthread_create(&thread, NULL, leave_and_stay, NULL) == 0);
  meet(&met);
  same(wasmtrap_shutdown(), WASMTRAP_OK, "shutdown");
  meet(&met);
  must(pthread_join(thread, NULL) == 0);
}

static void of_this_thread(void *unused) {
  (void)unused;
  host_init();
  for (int calls = 1; calls < 30; calls++) {
    leave_calls_by_a_jump(calls);
    must(wasmtrap_thread_detach() == WASMTRAP_OK);
  }
  leave_calls_by_a_jump(1);
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "detach");
  leave_calls_by_a_jump(2);
  same(wasmtrap_shutdown(), WASMTRAP_OK, "shutdown");
}

static void inside(void *unused) {
  (void)unused;
  leave_calls_by_a_jump(3);
  same(wasmtrap_thread_detach(), WASMTRAP_ERR_BUSY, "inside of a call that is alive, detach is refused");
  same(wasmtrap_shutdown(), WASMTRAP_ERR_BUSY, "and so is shutdown");
}

static void of_a_call_that_is_alive(void *unused) {
  (void)unused;
  host_init();
  same(wasmtrap_call(inside, NULL, NULL), WASMTRAP_OK, "the call returns");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "shutdown");
}

int main(void) {
  child_passes(of_this_thread, NULL, "calls that were left on this thread");
  child_passes(of_another_thread, NULL, "calls that were left on another thread");
  child_passes(of_a_call_that_is_alive, NULL, "calls that were left inside of one that is alive");
  return tap_done();
}
