/* A child that is forked while a thread is at its end, in a destructor of the host's: glibc gives the child's next
 * thread that one's stack, with the values that it had under the keys that come later. */
#include <pthread.h>

#include "host.h"
#include "meeting.h"
#include "process.h"
#include "thread_of_a_child.h"

static pthread_key_t key;
static meeting_t at_its_end = MEETING_OF(2), forked = MEETING_OF(2);

static void end_slowly(void *unused) {
  (void)unused;
  meet(&at_its_end);
  meet(&forked);
}

static void *attach_and_end(void *unused) {
  must(wasmtrap_thread_attach() == WASMTRAP_OK && pthread_setspecific(key, &key) == 0);
  must(wasmtrap_code_unregister(4711) == WASMTRAP_ERR_UNKNOWN_ID);
  return unused;
}

static void run_child(void *unused) {
  (void)unused;
  same(attached_threads(), 0, "no thread is attached");
  contains(wasmtrap_last_error(), "1234", "the error of the thread that has forked is kept");
  a_thread_of_the_childs_traps();
  same(attached_threads(), 0, "and has left");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "nobody keeps the child busy");
}

int main(void) {
  /* Before the library's own key, so that this destructor is called first. */
  must(pthread_key_create(&key, end_slowly) == 0);
  host_init();
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  pthread_t thread;
  must(pthread_create(&thread, NULL, attach_and_end, NULL) == 0);
  meet(&at_its_end);
  must(wasmtrap_code_unregister(1234) == WASMTRAP_ERR_UNKNOWN_ID);
  child_passes(run_child, NULL, "a child that is forked meanwhile");
  meet(&forked);
  must(pthread_join(thread, NULL) == 0);
  ok(library_traps(), "and the parent traps as before");
  return tap_done();
}
