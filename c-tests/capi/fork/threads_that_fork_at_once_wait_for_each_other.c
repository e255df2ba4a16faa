/* Two threads fork at the same time. The second waits until the first is through with it, so that neither child finds
 * the library half locked: both trap, and so do the threads of the parent. */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

#if defined(__linux__)
#include <sys/syscall.h>

/* Threads that wait for these stay awake: the second one falls asleep in its fork and nowhere before. */
static volatile int first_is_forking, second_forks;
static volatile pid_t second;
static int forks, second_came;

/* The library's own, which takes its locks, has been called before: it is registered later. */
static void prepare(void) {
  if (__atomic_add_fetch(&forks, 1, __ATOMIC_SEQ_CST) > 1) return;
  first_is_forking = 1;
  while (!second_forks) sched_yield();
  wait_until_asleep(second);
  second_came = __atomic_load_n(&forks, __ATOMIC_SEQ_CST) > 1;
}

static void run_child(void *unused) {
  (void)unused;
  ok(library_traps(), "a child traps");
}

static int child_ends_well(void) { return child_wait(child_start(run_child, NULL)) == 0; }

static void *fork_second(void *well) {
  second = (pid_t)syscall(SYS_gettid);
  while (!first_is_forking) sched_yield();
  second_forks = 1;
  *(int *)well = child_ends_well();
  return NULL;
}

int main(void) {
  must(pthread_atfork(prepare, NULL, NULL) == 0);
  host_init();
  pthread_t thread;
  int well = 0;
  must(pthread_create(&thread, NULL, fork_second, &well) == 0);
  while (second == 0) sched_yield();
  ok(child_ends_well(), "the first thread's child traps");
  must(pthread_join(thread, NULL) == 0);
  ok(well, "the second thread's child traps");
  same(forks, 2, "both have forked");
  ok(!second_came, "one after the other");
  ok(library_traps(), "the parent traps");
  return tap_done();
}
#else
int main(void) { return tap_skip_all("no system but Linux tells whether a thread waits"); }
#endif
