/* Deadlines for guests that poll nothing: ten thousand of them on four threads, some of which never end.
 *
 *   cc deadlines.c $(pkg-config --cflags --libs wasmtrap) -pthread && ./a.out
 *
 * What to take from it: each guest is a run. One thread looks at the clock and interrupts the runs whose time is over,
 * and again as long as they have not ended, in case one is in host code. A run's number is its own: an interrupt that
 * comes too late is refused, and reaches no other guest. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "check.h"

enum { GUESTS = 10000, THREADS = 4, ENDLESS_EACH = 100, DEADLINE_MILLISECONDS = 50, TICK_MILLISECONDS = 5 };

#if defined(SIGRTMIN)
#define INTERRUPT_SIGNAL (SIGRTMIN + 5)
#else
#define INTERRUPT_SIGNAL SIGUSR2
#endif

/* What stands in for compiled code. */
#if defined(__APPLE__)
#define COMPILED __attribute__((section("__TEXT,wasm_code"), noinline))
extern const char code_start[] __asm("section$start$__TEXT$wasm_code");
extern const char code_end[] __asm("section$end$__TEXT$wasm_code");
#else
#define COMPILED __attribute__((section("wasm_code"), noinline))
extern const char code_start[] __asm("__start_wasm_code"), code_end[] __asm("__stop_wasm_code");
#endif

typedef struct {
  volatile unsigned int rounds, wanted;
} guest_t;

COMPILED static void compute(void *argument) {
  guest_t *guest = argument;
  while (guest->wanted == 0 || guest->rounds != guest->wanted) guest->rounds = guest->rounds + 1;
}

/* What a thread is at. */
static struct worker {
  pthread_t thread;
  pthread_mutex_t lock;
  wasmtrap_run_t run;
  long deadline;
} workers[THREADS];
static unsigned int next_guest, answered, interrupted, done;

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void set(struct worker *worker, wasmtrap_run_t run) {
  pthread_mutex_lock(&worker->lock);
  worker->run = run;
  worker->deadline = now() + DEADLINE_MILLISECONDS;
  pthread_mutex_unlock(&worker->lock);
}

/* Whether the guest has ended by itself. */
static int run_guest(struct worker *worker, guest_t *guest) {
  wasmtrap_run_t run;
  CHECK(wasmtrap_run_open(&run));
  set(worker, run);
  wasmtrap_trap_t trap = {0};
  trap.struct_size = sizeof trap;
  const wasmtrap_status_t status = CHECK(wasmtrap_run_call(run, compute, guest, &trap));
  set(worker, 0);
  CHECK(wasmtrap_run_close(run));
  return status == WASMTRAP_OK;
}

static void *work(void *argument) {
  for (;;) {
    const unsigned int number = __atomic_fetch_add(&next_guest, 1, __ATOMIC_RELAXED);
    if (number >= GUESTS) return NULL;
    guest_t guest = {0, number % ENDLESS_EACH == 0 ? 0 : 1000};
    int good = run_guest(argument, &guest);
    /* A guest that would have come to its end was late because the machine is busy: it gets another chance. */
    while (!good && guest.wanted != 0) {
      guest.rounds = 0;
      good = run_guest(argument, &guest);
    }
    __atomic_fetch_add(good ? &answered : &interrupted, 1, __ATOMIC_RELAXED);
  }
}

static void *watch(void *argument) {
  const struct timespec tick = {0, TICK_MILLISECONDS * 1000000L};
  while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
    nanosleep(&tick, NULL);
    for (int i = 0; i < THREADS; i++) {
      pthread_mutex_lock(&workers[i].lock);
      if (workers[i].run != 0 && now() >= workers[i].deadline) {
        /* NOT_FOUND: it has just ended. */
        const wasmtrap_status_t status = wasmtrap_interrupt(workers[i].run, WASMTRAP_CODE_INTERRUPT, 0);
        if (status != WASMTRAP_ERR_NOT_FOUND) CHECK(status);
      }
      pthread_mutex_unlock(&workers[i].lock);
    }
  }
  return argument;
}

int main(void) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.interrupt_signal = INTERRUPT_SIGNAL;
  CHECK(wasmtrap_init(&options));
  wasmtrap_code_desc_t code = {0};
  code.struct_size = sizeof code;
  code.start = code_start;
  code.length = (size_t)(code_end - code_start);
  uint64_t id;
  CHECK(wasmtrap_code_register(&code, &id));

  pthread_t watcher;
  for (int i = 0; i < THREADS; i++) {
    pthread_mutex_init(&workers[i].lock, NULL);
    if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) exit(2);
  }
  if (pthread_create(&watcher, NULL, watch, NULL) != 0) exit(2);
  for (int i = 0; i < THREADS; i++) pthread_join(workers[i].thread, NULL);
  __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
  pthread_join(watcher, NULL);
  printf("%d guests on %d threads: %u answered, %u interrupted\n", GUESTS, THREADS, answered, interrupted);
  return 0;
}
