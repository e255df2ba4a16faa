/* The library's locks are taken in one order, whatever is called, and none is held while the loader or malloc is asked:
 * a plug-in's constructor may call the library with the loader's lock held, and malloc may be the host's, with a lock
 * of its own. A fork takes each of them, so that the child finds nothing half done. Every pthread_mutex_lock of the
 * process comes by here, and every call of malloc and its kind; the program itself has no mutex. */
#include <dlfcn.h>
#include <errno.h>
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
/* Locks that the thread that forks has when it does. */
static unsigned char held_by_fork[MOST_LOCKS];

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

/* Called after the library's, which was registered later (pthread_atfork(3)). */
static void note_what_a_fork_holds(void) {
  for (int i = 0; i < held_count; i++) held_by_fork[held[i]] = 1;
}

/* glibc's own names of what is defined below. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

static int malloc_calls, malloc_calls_with_a_lock;
/* What was called in that way first, and from where in the walk. */
static const char *first_with_a_lock, *at_first_with_a_lock;
/* With Mach exception ports pthread_create is called under the library's lock, once for each set-up. */
static int has_server;
static const char *volatile now_at = "the beginning";

static void asked_malloc(const char *name) {
  __atomic_add_fetch(&malloc_calls, 1, __ATOMIC_RELAXED);
  if (held_count == 0 || __atomic_fetch_add(&malloc_calls_with_a_lock, 1, __ATOMIC_RELAXED) != 0) return;
  first_with_a_lock = name;
  at_first_with_a_lock = now_at;
}

void *malloc(size_t size) {
  asked_malloc("malloc");
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  asked_malloc("calloc");
  return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
  asked_malloc("realloc");
  return __libc_realloc(memory, size);
}

void free(void *memory) {
  asked_malloc("free");
  __libc_free(memory);
}

void *aligned_alloc(size_t alignment, size_t size) {
  asked_malloc("aligned_alloc");
  return __libc_memalign(alignment, size);
}

void *memalign(size_t alignment, size_t size) {
  asked_malloc("memalign");
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  asked_malloc("posix_memalign");
  void *const made = __libc_memalign(alignment, size);
  if (made == NULL) return ENOMEM;
  *memory = made;
  return 0;
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

/* What is refused with a lock held, each on a thread that has not failed before: the sentence is the thread's own. */
static void *unknown_client_is_closed(void *unused) {
  same(wasmtrap_client_close(4711), WASMTRAP_ERR_UNKNOWN_ID, "an unknown client is closed");
  return unused;
}

static void *unknown_client_has_no_handler(void *unused) {
  same(wasmtrap_client_set_fault_handler(4711, forwards, NULL, 0), WASMTRAP_ERR_UNKNOWN_ID,
       "a handler of an unknown client");
  return unused;
}

static void *conflict(void *unused) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.flags = WASMTRAP_INIT_HOST_OWNS_SIGNALS;
  wasmtrap_client_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.name = "one that owns the signals";
  desc.options = &options;
  wasmtrap_client_t client;
  same(wasmtrap_client_open(&desc, &client), WASMTRAP_ERR_CONFLICT, "a client that wants what cannot be had");
  return unused;
}

static void shut_down_inside(void *status) {
  *(wasmtrap_status_t *)status = wasmtrap_shutdown();
}

static void *busy(void *unused) {
  wasmtrap_status_t status = WASMTRAP_OK;
  wasmtrap_trap_t trap = host_new_trap();
  must(wasmtrap_call(shut_down_inside, &status, &trap) == WASMTRAP_OK);
  same(status, WASMTRAP_ERR_BUSY, "a shutdown inside of a protected call");
  return unused;
}

static void *nothing_to_rearm(void *unused) {
  same(wasmtrap_rearm(), WASMTRAP_ERR_NOT_INITIALIZED, "nothing to rearm");
  same(wasmtrap_shutdown(), WASMTRAP_ERR_NOT_INITIALIZED, "nothing to shut down");
  return unused;
}

static void on_a_thread(const char *name, void *(*function)(void *)) {
  now_at = name;
  pthread_t thread;
  must(pthread_create(&thread, NULL, function, NULL) == 0 && pthread_join(thread, NULL) == 0);
}

enum { MANY = 600 };

/* Trees grow by many ranges and shrink; half of the ranges stay. There is no memory there, and nobody looks. */
static void register_many(wasmtrap_client_t client) {
  static const wasmtrap_site_t sites[] = {{1, 7}, {3, 8}};
  uint64_t ids[2 * MANY];
  for (size_t i = 0; i < MANY; i++) {
    /* 251 and 600 have no factor in common. */
    char *const start = (char *)0x10000 + i * 251 % MANY * 64;
    wasmtrap_code_desc_t code = {0};
    code.struct_size = sizeof code;
    code.client = client;
    code.start = start;
    code.length = 64;
    code.sites = sites;
    code.site_count = i % 3;
    if (code.site_count == 0) code.sites = NULL;
    must(wasmtrap_code_register(&code, &ids[2 * i]) == WASMTRAP_OK);
    wasmtrap_region_desc_t region = {0};
    region.struct_size = sizeof region;
    region.client = client;
    region.base = start;
    region.length = 64;
    must(wasmtrap_region_register(&region, &ids[2 * i + 1]) == WASMTRAP_OK);
    if (i == 0) {
      same(wasmtrap_code_register(&code, &ids[1]), WASMTRAP_ERR_OVERLAP, "a range that overlaps");
      must(wasmtrap_code_unregister_at(start) == WASMTRAP_OK && wasmtrap_code_register(&code, &ids[0]) == WASMTRAP_OK);
    }
  }
  for (size_t i = 0; i < MANY; i += 2) {
    must(wasmtrap_code_unregister(ids[2 * i]) == WASMTRAP_OK);
    must(wasmtrap_region_unregister(ids[2 * i + 1]) == WASMTRAP_OK);
  }
}

/* So deep that the list of calls has to grow. */
static void call_deep(void *depth) {
  if (*(int *)depth == 0) return;
  --*(int *)depth;
  must(wasmtrap_call(call_deep, depth, NULL) == WASMTRAP_OK);
}

static volatile int is_attached, may_end;

static void *is_there_while_the_process_forks(void *unused) {
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  int depth = 100;
  must(wasmtrap_call(call_deep, &depth, NULL) == WASMTRAP_OK);
  is_attached = 1;
  while (!may_end) usleep(1000);
  return unused;
}

/* What it frees of the bystander is counted here. */
static int child_is_well(void) {
  return wasmtrap_check(NULL) == WASMTRAP_OK && malloc_calls_with_a_lock == 0;
}

/* All that takes a lock, what is refused as well. */
static void walk(void) {
  on_a_thread("what comes too early", nothing_to_rearm);
  now_at = "wasmtrap_init";
  host_init();
  host_init();
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  wasmtrap_options_t others = {0};
  others.struct_size = sizeof others;
  others.fault_kinds = WASMTRAP_FAULT_MEMORY;
  ok(wasmtrap_init(&others) == WASMTRAP_ERR_CONFLICT, "other options");
  wasmtrap_client_t client;
  wasmtrap_client_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.name = "another";
  now_at = "wasmtrap_client_open";
  must(wasmtrap_client_open(&desc, &client) == WASMTRAP_OK);
  now_at = "fault handlers";
  must(wasmtrap_client_set_fault_handler(client, forwards, NULL, 0) == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(forwards, NULL) == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(forwards, NULL) == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(NULL, NULL) == WASMTRAP_OK);
  now_at = "registrations";
  const uint64_t code = host_register_code(&wasm_recurse);
  const uint64_t region = host_register_region(inaccessible_page(), page_size(), 0);
  must(wasmtrap_code_unregister(code) == WASMTRAP_OK && wasmtrap_region_unregister(region) == WASMTRAP_OK);
  ok(wasmtrap_code_unregister(code) == WASMTRAP_ERR_UNKNOWN_ID, "an unknown id");
  register_many(client);
  now_at = "wasmtrap_rearm";
  install_passing_handler(SIGSEGV, 0);
  must(wasmtrap_check(NULL) == WASMTRAP_OK && wasmtrap_rearm() == WASMTRAP_OK);
  now_at = "wasmtrap_describe";
  free(described());
  now_at = "traps";
  ok(library_traps(), "traps");
  on_a_thread("a thread", thread);
  on_a_thread("a client that is unknown", unknown_client_is_closed);
  on_a_thread("a handler that has no client", unknown_client_has_no_handler);
  on_a_thread("a conflict", conflict);
  now_at = "a fork";
  is_attached = may_end = 0;
  pthread_t bystander;
  must(pthread_create(&bystander, NULL, is_there_while_the_process_forks, NULL) == 0);
  while (!is_attached) usleep(1000);
  const pid_t child = fork();
  if (child == 0) _exit(child_is_well() ? 0 : 1);
  int status = 1;
  must(waitpid(child, &status, 0) == child);
  if (has_server) {
    tap_skip("the Mach server's thread is made under the library's lock", "a child");
  } else {
    same(status, 0, "a child");
  }
  may_end = 1;
  must(pthread_join(bystander, NULL) == 0);
  now_at = "wasmtrap_client_close";
  must(wasmtrap_client_close(client) == WASMTRAP_OK);
  on_a_thread("a shutdown that is refused", busy);
  now_at = "wasmtrap_shutdown";
  must(wasmtrap_set_fault_handler(forwards, NULL) == WASMTRAP_OK);
  register_many(WASMTRAP_CLIENT_DEFAULT);
  must(wasmtrap_shutdown() == WASMTRAP_OK);
}

int main(void) {
  has_server = exception_ports() == PORTS_GET_ALL || exception_ports() == PORTS_GET_MOST;
  must(pthread_atfork(note_what_a_fork_holds, NULL, NULL) == 0);
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
    if (has_server && !held_by_fork[i]) {
      tap_skip("a child has no server, and none of its locks is taken there", "... and a fork takes it");
    } else {
      ok(held_by_fork[i], "... and a fork takes it");
    }
  }
  ok(count >= 4 && pairs >= 3, "%d locks, of which %d pairs are held at once", count, pairs);
  ok(loader_calls >= 2, "%d questions to the loader", loader_calls);
  same(loader_calls_with_a_lock, 0, "none with a lock held");
  ok(malloc_calls >= 4 * MANY, "%d calls of malloc and its kind", malloc_calls);
  if (has_server) {
    tap_skip("the Mach server's thread is made under the library's lock", "none with a lock held");
  } else if (!same(malloc_calls_with_a_lock, 0, "none with a lock held")) {
    tap_note("the first was %s, at %s", first_with_a_lock, at_first_with_a_lock);
  }
  return tap_done();
}
