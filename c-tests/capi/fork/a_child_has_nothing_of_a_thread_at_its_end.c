/* A child that is forked while a thread is at its end, in a destructor of the host's: glibc gives the child's next
 * thread that one's stack, with the values that it had under the keys that come later. */
#include <pthread.h>

#include "host.h"
#include "meeting.h"
#include "process.h"

static pthread_key_t key;
static meeting_t at_its_end = MEETING_OF(2), forked = MEETING_OF(2);

static void end_slowly(void *unused) {
  (void)unused;
  meet(&at_its_end);
  meet(&forked);
}

static void *attach_and_end(void *unused) {
  must(wasmtrap_thread_attach() == WASMTRAP_OK && pthread_setspecific(key, &key) == 0);
  return unused;
}

#if !EMULATED
static void *trap_on_a_thread(void *trapped) {
  *(int *)trapped = library_traps();
  return NULL;
}
#endif

static void run_child(void *unused) {
  (void)unused;
  same(attached_threads(), 0, "no thread is attached");
#if !EMULATED
  /* QEMU's user emulation aborts here, by itself: after a fork it still knows the threads of the parent. */
  pthread_t thread;
  int trapped = 0;
  must(pthread_create(&thread, NULL, trap_on_a_thread, &trapped) == 0);
  must(pthread_join(thread, NULL) == 0);
  ok(trapped, "a thread of the child's traps");
  same(attached_threads(), 0, "and has left");
#endif
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
  child_passes(run_child, NULL, "a child that is forked meanwhile");
  meet(&forked);
  must(pthread_join(thread, NULL) == 0);
  ok(library_traps(), "and the parent traps as before");
  return tap_done();
}
