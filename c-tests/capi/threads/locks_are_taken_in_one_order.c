/* The library's locks are taken in one order, whatever is called, and none is held while the loader is asked: a
 * plug-in's constructor may call the library with the loader's lock held. Every pthread_mutex_lock of the process comes
 * by here; the program itself has no mutex. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handlers.h"
#include "host.h"

enum { MOST_LOCKS = 32 };

typedef int (*mutex_function_t)(pthread_mutex_t *mutex);
static mutex_function_t real_lock, real_unlock;

static const pthread_mutex_t *locks[MOST_LOCKS];
/* after[i][j]: lock j was taken while i was held. */
static unsigned char after[MOST_LOCKS][MOST_LOCKS];
static __thread int held[MOST_LOCKS], held_count;
static int loader_calls, loader_calls_with_a_lock;

static int number_of(const pthread_mutex_t *mutex) {
  for (int i = 0; i < MOST_LOCKS; i++) {
    const pthread_mutex_t *none = NULL;
    if (__atomic_compare_exchange_n(&locks[i], &none, mutex, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) || none == mutex) {
      return i;
    }
  }
  abort();
}

static void find(mutex_function_t *place, const char *name) {
  void *const found = dlsym(RTLD_NEXT, name);
  memcpy(place, &found, sizeof found);
}

int pthread_mutex_lock(pthread_mutex_t *mutex) {
  if (real_lock == NULL) find(&real_lock, "pthread_mutex_lock");
  const int lock = number_of(mutex);
  for (int i = 0; i < held_count; i++) __atomic_store_n(&after[held[i]][lock], 1, __ATOMIC_RELAXED);
  const int error = real_lock(mutex);
  held[held_count++] = lock;
  return error;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex) {
  if (real_unlock == NULL) find(&real_unlock, "pthread_mutex_unlock");
  const int lock = number_of(mutex);
  for (int i = held_count - 1; i >= 0; i--) {
    if (held[i] != lock) continue;
    memmove(&held[i], &held[i + 1], (size_t)(held_count - i - 1) * sizeof held[0]);
    held_count--;
    break;
  }
  return real_unlock(mutex);
}

static void asked_the_loader(void) {
  __atomic_add_fetch(&loader_calls, 1, __ATOMIC_RELAXED);
  if (held_count != 0) __atomic_add_fetch(&loader_calls_with_a_lock, 1, __ATOMIC_RELAXED);
}

int dladdr(const void *address, Dl_info *info) {
  static int (*next)(const void *, Dl_info *);
  asked_the_loader();
  if (next == NULL) {
    void *const found = dlsym(RTLD_NEXT, "dladdr");
    memcpy(&next, &found, sizeof next);
  }
  return next(address, info);
}

void *dlopen(const char *path, int mode) {
  static void *(*next)(const char *, int);
  asked_the_loader();
  if (next == NULL) {
    void *const found = dlsym(RTLD_NEXT, "dlopen");
    memcpy(&next, &found, sizeof next);
  }
  return next(path, mode);
}

static wasmtrap_verdict_t forwards(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  return WASMTRAP_VERDICT_FORWARD;
}

static void *thread(void *unused) {
  ok(library_traps(), "traps, on a thread of their own");
  must(wasmtrap_thread_detach() == WASMTRAP_OK && wasmtrap_thread_attach() == WASMTRAP_OK);
  return unused;
}

/* All that takes a lock, what is refused as well. */
static void walk(void) {
  host_init();
  host_init();
  wasmtrap_options_t others = {0};
  others.struct_size = sizeof others;
  others.fault_kinds = WASMTRAP_FAULT_MEMORY;
  ok(wasmtrap_init(&others) == WASMTRAP_ERR_CONFLICT, "other options");
  wasmtrap_client_t client;
  wasmtrap_client_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.name = "another";
  must(wasmtrap_client_open(&desc, &client) == WASMTRAP_OK);
  must(wasmtrap_client_set_fault_handler(client, forwards, NULL, 0) == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(forwards, NULL) == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(NULL, NULL) == WASMTRAP_OK);
  const uint64_t code = host_register_code(&wasm_recurse);
  const uint64_t region = host_register_region(inaccessible_page(), page_size(), 0);
  must(wasmtrap_code_unregister(code) == WASMTRAP_OK && wasmtrap_region_unregister(region) == WASMTRAP_OK);
  ok(wasmtrap_code_unregister(code) == WASMTRAP_ERR_UNKNOWN_ID, "an unknown id");
  install_passing_handler(SIGSEGV, 0);
  must(wasmtrap_check(NULL) == WASMTRAP_OK && wasmtrap_rearm() == WASMTRAP_OK);
  free(described());
  ok(library_traps(), "traps");
  pthread_t another;
  must(pthread_create(&another, NULL, thread, NULL) == 0 && pthread_join(another, NULL) == 0);
  const pid_t child = fork();
  if (child == 0) _exit(wasmtrap_check(NULL) == WASMTRAP_OK ? 0 : 1);
  int status = 1;
  must(waitpid(child, &status, 0) == child);
  same(status, 0, "a child");
  must(wasmtrap_client_close(client) == WASMTRAP_OK);
  must(wasmtrap_shutdown() == WASMTRAP_OK);
}

int main(void) {
  walk();
  walk();

  int count = 0, pairs = 0;
  while (count < MOST_LOCKS && locks[count] != NULL) count++;
  /* What comes after what comes after (Warshall). */
  for (int k = 0; k < count; k++) {
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < count; j++) after[i][j] |= after[i][k] & after[k][j];
    }
  }
  for (int i = 0; i < count; i++) {
    for (int j = 0; j < count; j++) pairs += after[i][j];
    ok(!after[i][i], "lock %d is never taken after itself, directly or by way of others", i);
  }
  ok(count >= 4 && pairs >= 3, "%d locks, of which %d pairs are held at once", count, pairs);
  ok(loader_calls >= 2, "%d questions to the loader", loader_calls);
  same(loader_calls_with_a_lock, 0, "none with a lock held");
  return tap_done();
}
