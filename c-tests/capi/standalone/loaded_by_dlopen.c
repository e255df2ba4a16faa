/*
 * A host that finds the library at run time: dlopen, also after it has threads, and dlclose while its handlers are in
 * use, after which traps are traps still, because the library stays.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "process.h"
#include "use.h"

static api_t api;
static uint64_t id;
static volatile int loaded;

/* Started before the library was there. */
static void *trap_when_loaded(void *trapped) {
  while (!__atomic_load_n(&loaded, __ATOMIC_ACQUIRE)) sched_yield();
  *(int *)trapped = use_traps(&api, &wasm_load, id);
  return NULL;
}

static void crash(void *unused) {
  (void)unused;
  wasm_access_t access = {0, 0};
  wasm_store.function(&access);
}

int main(void) {
  pthread_t thread;
  int trapped = 0;
  must(pthread_create(&thread, NULL, trap_when_loaded, &trapped) == 0);

  void *const object = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (object == NULL) tap_note("%s", dlerror());
  must(object != NULL);
  api = api_of(object);
  same(api.wasmtrap_init_(NULL), WASMTRAP_OK, "a library that was loaded by dlopen");
  id = use_register(&api, &wasm_load);
  ok(use_traps(&api, &wasm_load, id), "catches traps");
  __atomic_store_n(&loaded, 1, __ATOMIC_RELEASE);
  must(pthread_join(thread, NULL) == 0);
  ok(trapped, "on a thread that is older than it, too");

  same(dlclose(object), 0, "dlclose under its handlers");
  ok(use_traps(&api, &wasm_load, id), "catches traps still");
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_store), crash, NULL, "and what is no trap is a crash");

  void *const again = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
  must(again != NULL);
  const api_t same_api = api_of(again);
  ok(same_api.wasmtrap_init_ == api.wasmtrap_init_, "loaded again, it is the one that was there");
  same(same_api.wasmtrap_code_unregister_(id), WASMTRAP_OK, "with all that was registered");
  same(same_api.wasmtrap_shutdown_(), WASMTRAP_OK, "it can be shut down");
  same(dlclose(again), 0, "and closed");
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_store), crash, NULL, "a crash is a crash");
  return tap_done();
}
