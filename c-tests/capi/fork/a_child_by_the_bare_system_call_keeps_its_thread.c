/* A child that was made by the bare system call, of which the library is not told, and whose parent has ended: the
 * numbers by which the kernel knew the parent's threads are nobody's, and the child's own thread, which has such a
 * number, stays attached while many others are. */
#include <pthread.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

#if defined(__linux__)
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

/* More than there have to be before ended ones are looked for. */
enum { THREADS = 100 };

static pthread_barrier_t all_are_attached, all_may_end;

static void do_nothing(void *unused) { (void)unused; }

static void *attach(void *unused) {
  must(wasmtrap_call(do_nothing, unused, NULL) == WASMTRAP_OK);
  pthread_barrier_wait(&all_are_attached);
  pthread_barrier_wait(&all_may_end);
  return NULL;
}

static unsigned char with_many_threads(void) {
  pthread_t threads[THREADS];
  must(pthread_barrier_init(&all_are_attached, NULL, THREADS + 1) == 0);
  must(pthread_barrier_init(&all_may_end, NULL, THREADS + 1) == 0);
  for (int i = 0; i < THREADS; i++) must(pthread_create(&threads[i], NULL, attach, NULL) == 0);
  pthread_barrier_wait(&all_are_attached);
  const int all = attached_threads() == THREADS + 1;
  pthread_barrier_wait(&all_may_end);
  for (int i = 0; i < THREADS; i++) must(pthread_join(threads[i], NULL) == 0);
  return all && wasmtrap_call(do_nothing, NULL, NULL) == WASMTRAP_OK && wasmtrap_thread_detach() == WASMTRAP_OK;
}

static void forked(void *unused) {
  (void)unused;
  ok(with_many_threads(), "with all threads attached");
}

static int answer[2];

static void end_after_a_bare_clone(void *unused) {
  (void)unused;
  const pid_t parent = getpid();
  const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  must(child >= 0);
  if (child > 0) _exit(0);
  while (getppid() == parent) sched_yield();
  const unsigned char good = with_many_threads();
  must(write(answer[1], &good, 1) == 1);
  _exit(0);
}

int main(void) {
  unsigned char good = 0;
  host_init_with_signals();
  must(wasmtrap_call(do_nothing, NULL, NULL) == WASMTRAP_OK);
  child_passes(forked, NULL, "a child by fork keeps it, too");
  must(pipe(answer) == 0);
  child_passes(end_after_a_bare_clone, NULL, "the parent has ended");
  must(close(answer[1]) == 0);
  ok(read(answer[0], &good, 1) == 1, "its child has come to its end");
  ok(good, "with all threads attached");
  return tap_done();
}

#else

int main(void) { return tap_skip_all("a system call of Linux's"); }

#endif
