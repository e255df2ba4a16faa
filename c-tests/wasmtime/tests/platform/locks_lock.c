/* Wasmtime's lock words: zero is a lock, one holds an exclusive lock, many a reader's, and a forked child finds none of
 * them taken by a thread that it does not have. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform.h"
#include "process.h"
#include "tap.h"

enum { THREADS = 4, TIMES = 20000 };

static uintptr_t lock, rwlock;
static long counter, written;
static int readers, stop;

#define NOW(variable) __atomic_load_n(&(variable), __ATOMIC_SEQ_CST)

static void *count(void *argument) {
  (void)argument;
  for (int i = 0; i < TIMES; i++) {
    wasmtime_sync_lock_acquire(&lock);
    counter++;
    wasmtime_sync_lock_release(&lock);
    wasmtime_sync_rwlock_write(&rwlock);
    written++;
    wasmtime_sync_rwlock_write_release(&rwlock);
  }
  return NULL;
}

/* Each waits, with the lock, for the other one to be a reader too. */
static void *read_together(void *argument) {
  (void)argument;
  wasmtime_sync_rwlock_read(&rwlock);
  __atomic_add_fetch(&readers, 1, __ATOMIC_SEQ_CST);
  while (NOW(readers) < 2) sched_yield();
  wasmtime_sync_rwlock_read_release(&rwlock);
  return NULL;
}

static void *lock_and_release(void *argument) {
  (void)argument;
  while (!NOW(stop)) {
    wasmtime_sync_lock_acquire(&lock);
    wasmtime_sync_rwlock_write(&rwlock);
    wasmtime_sync_rwlock_write_release(&rwlock);
    wasmtime_sync_lock_release(&lock);
  }
  return NULL;
}

static void take_both(void *argument) {
  (void)argument;
  wasmtime_sync_lock_acquire(&lock);
  wasmtime_sync_rwlock_write(&rwlock);
  wasmtime_sync_rwlock_write_release(&rwlock);
  wasmtime_sync_rwlock_read(&rwlock);
  wasmtime_sync_rwlock_read_release(&rwlock);
  wasmtime_sync_lock_release(&lock);
  engine_t engine = new_code();
  ok(run_wasm(engine.load, (const void *)8) == 1, "and traps come");
}

static void run_threads(void *(*function)(void *), int count) {
  pthread_t threads[THREADS];
  for (int i = 0; i < count; i++) must(pthread_create(&threads[i], NULL, function, NULL) == 0);
  for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

int main(void) {
  must(wasmtime_init_traps(jump_out) == 0);
  run_threads(count, THREADS);
  same(counter, TIMES * THREADS, "an exclusive lock excludes");
  same(written, TIMES * THREADS, "and so does a writer's");
  run_threads(read_together, 2);
  same(readers, 2, "two read at once");

  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++) must(pthread_create(&threads[i], NULL, lock_and_release, NULL) == 0);
  for (int i = 0; i < 100; i++)
    if (!child_passes(take_both, NULL, "a child finds the locks free, while other threads take them")) break;
  __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);

  wasmtime_sync_lock_free(&lock);
  wasmtime_sync_rwlock_free(&rwlock);
  ok(lock == 0 && rwlock == 0, "freed locks are zero again");
  wasmtime_sync_lock_free(&lock);
  wasmtime_sync_rwlock_free(&rwlock);
  wasmtime_sync_lock_acquire(&lock);
  wasmtime_sync_lock_release(&lock);
  wasmtime_sync_lock_free(&lock);
  ok(lock == 0, "a lock that was never used can be freed, and a freed one used");
  return tap_done();
}
