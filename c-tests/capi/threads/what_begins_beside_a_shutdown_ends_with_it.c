/* What a thread has begun when the library is shut down fails, and leaves nothing behind, wherever it is just then: a
 * protected call, a registration, a fault handler. The thread is held at each lock that it takes, the first, the second
 * and so on, until the shutdown is over. Every pthread_mutex_lock of the process comes by here; so does every
 * syscall(), of which one is the barrier that has the shutdown see calls that begin just then (membarrier(2)). */
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

#include "host.h"

typedef int (*mutex_function_t)(pthread_mutex_t *mutex);
static mutex_function_t real_lock, real_unlock;

/* This thread is held before the lock with that number; 0 for no lock. It holds none itself. */
static __thread int held_before, locks, held;

static int shut_down_now, shut_down_is_over;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;

static void find(mutex_function_t *place, const char *name) {
  void *const found = dlsym(RTLD_NEXT, name);
  memcpy(place, &found, sizeof found);
}

static void set(int *flag) {
  must(real_lock(&turn) == 0);
  *flag = 1;
  must(pthread_cond_broadcast(&turn_changed) == 0 && real_unlock(&turn) == 0);
}

static void wait_for(const int *flag) {
  must(real_lock(&turn) == 0);
  while (!*flag) must(pthread_cond_wait(&turn_changed, &turn) == 0);
  must(real_unlock(&turn) == 0);
}

int pthread_mutex_lock(pthread_mutex_t *mutex) {
  if (real_lock == NULL) find(&real_lock, "pthread_mutex_lock");
  if (held_before != 0 && held == 0 && ++locks == held_before) {
    held_before = 0;
    set(&shut_down_now);
    wait_for(&shut_down_is_over);
  }
  held++;
  return real_lock(mutex);
}

int pthread_mutex_unlock(pthread_mutex_t *mutex) {
  if (real_unlock == NULL) find(&real_unlock, "pthread_mutex_unlock");
  held--;
  return real_unlock(mutex);
}

/* The barriers asked for that the kernel has not refused. */
static volatile int barriers;

long syscall(long number, ...) {
  static long (*next)(long, ...);
  if (next == NULL) {
    void *const found = dlsym(RTLD_NEXT, "syscall");
    memcpy(&next, &found, sizeof next);
  }
  long words[6];
  va_list arguments;
  va_start(arguments, number);
  for (size_t i = 0; i < 6; i++) words[i] = va_arg(arguments, long);
  va_end(arguments);
  const long result = next(number, words[0], words[1], words[2], words[3], words[4], words[5]);
  if (number == SYS_membarrier && result == 0) barriers++;
  return result;
}

static void *page;
static volatile int entered;

static void function(void *unused) {
  (void)unused;
  entered = 1;
}

static wasmtrap_verdict_t forwards(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  return WASMTRAP_VERDICT_FORWARD;
}

static wasmtrap_status_t call(void) { return wasmtrap_call(function, NULL, NULL); }

static wasmtrap_status_t register_code(void) {
  wasmtrap_code_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.start = page;
  desc.length = page_size();
  uint64_t id;
  return wasmtrap_code_register(&desc, &id);
}

static wasmtrap_status_t register_region(void) {
  wasmtrap_region_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.base = page;
  desc.length = page_size();
  uint64_t id;
  return wasmtrap_region_register(&desc, &id);
}

static wasmtrap_status_t set_handler(void) { return wasmtrap_set_fault_handler(forwards, NULL); }

static wasmtrap_status_t attach(void) { return wasmtrap_thread_attach(); }

static const struct {
  const char *name;
  wasmtrap_status_t (*begin)(void);
  /* What is done before, on the same thread. */
  wasmtrap_status_t (*first)(void);
  /* The shutdown may come after it has succeeded, and nothing is left that could be noticed. */
  int may_succeed;
} deeds[] = {
    {"a call of a thread that is new", call, NULL, 0},
    {"a call of a thread that is attached", call, attach, 0},
    {"a registration of code", register_code, NULL, 0},
    {"a registration of a region", register_region, NULL, 0},
    {"a fault handler", set_handler, NULL, 0},
    {"attaching a thread", attach, NULL, 1},
};

typedef struct worker_t {
  size_t deed;
  int held_before;
  wasmtrap_status_t status;
  /* It has taken fewer locks. */
  int is_through;
} worker_t;

static void *work(void *argument) {
  worker_t *const worker = argument;
  if (deeds[worker->deed].first != NULL) must(deeds[worker->deed].first() == WASMTRAP_OK);
  locks = 0;
  held_before = worker->held_before;
  worker->status = deeds[worker->deed].begin();
  worker->is_through = held_before != 0;
  held_before = 0;
  set(&shut_down_now);
  return NULL;
}

/* Returns whether the thread took that many locks. */
static int hold(size_t deed, int number) {
  const char *const name = deeds[deed].name;
  barriers = 0;
  host_init();
  shut_down_now = shut_down_is_over = entered = 0;
  worker_t worker = {deed, number, WASMTRAP_OK, 0};
  pthread_t thread;
  must(pthread_create(&thread, NULL, work, &worker) == 0);
  wait_for(&shut_down_now);
  /* Without, each call has one. */
  const int has_barriers = barriers != 0;
  barriers = 0;
  const wasmtrap_status_t status = wasmtrap_shutdown();
  same(barriers >= 1, has_barriers, "%s: the shutdown had each thread pass a barrier", name);
  set(&shut_down_is_over);
  must(pthread_join(thread, NULL) == 0);
  if (worker.is_through) {
    same(worker.status, WASMTRAP_OK, "%s: done after fewer than %d locks", name, number);
    return 0;
  }
  same(status, WASMTRAP_OK, "%s, held before lock %d: the shutdown", name, number);
  if (!deeds[deed].may_succeed || worker.status != WASMTRAP_OK) {
    same(worker.status, WASMTRAP_ERR_NOT_INITIALIZED, "... fails after it");
  }
  same(entered, 0, "... and no function is called");
  host_init();
  same(register_code(), WASMTRAP_OK, "no code is left of before");
  same(register_region(), WASMTRAP_OK, "no region is left of before");
  ok(library_traps(), "what comes later is unharmed");
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  return 1;
}

int main(void) {
  page = inaccessible_page();
  for (size_t deed = 0; deed < sizeof deeds / sizeof *deeds; deed++) {
    int number = 1;
    while (hold(deed, number)) number++;
    ok(deed == 1 || number > 1, "%s takes a lock", deeds[deed].name);
  }
  return tap_done();
}
