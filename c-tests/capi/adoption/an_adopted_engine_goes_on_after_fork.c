/* A forked child has the engines that its parent has adopted, whatever the parent was doing, and can end what the
 * forking thread has begun. What another thread has begun, which does not exist in the child, is no more. */
#include <pthread.h>
#include <signal.h>

#include "fake_engine.h"
#include "handlers.h"
#include "host.h"
#include "process.h"

static void traps(void *unused) {
  (void)unused;
  ok(engine_traps(0), "the engine's trap");
  ok(library_traps(), "the library's");
  wasm_access_t access = {address_of(inaccessible_page()), 1};
  wasm_load.function(&access);
  same(mending_calls, 1, "a crash goes to who was there before");
}

static void ends(void *unused) {
  (void)unused;
  engine_install(1);
  uint64_t id = 0;
  same(wasmtrap_adopt_end(0, &id), WASMTRAP_OK, "wasmtrap_adopt_end in the child");
  ok(engine_traps(1) && engine_traps(0) && library_traps(), "all have their traps");
  same(wasmtrap_adopt_release(id), WASMTRAP_OK, "wasmtrap_adopt_release");
  ok(engine_uninstall(1) && engine_traps(0), "it goes, and the other stays");
}

static void begins(void *unused) {
  (void)unused;
  ok(engine_traps(0) && library_traps(), "the adoption that another thread has begun is in nobody's way");
  uint64_t id = engine_adopt(1, 0, 0);
  ok(engine_traps(1) && engine_traps(0) && library_traps(), "another engine is adopted");
  same(wasmtrap_adopt_release(id), WASMTRAP_OK, "wasmtrap_adopt_release");
  ok(engine_uninstall(1) && engine_traps(0), "it goes, and the other stays");
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  same(wasmtrap_shutdown(), WASMTRAP_OK, "wasmtrap_shutdown");
}

/* A child of a thread that has not begun it. */
static void *forks_while_begun(void *unused) {
  (void)unused;
  child_passes(begins, NULL, "a child of another thread than the one that has begun");
  return NULL;
}

static void *forks(void *unused) {
  (void)unused;
  child_passes(traps, NULL, "a child of another thread");
  return NULL;
}

int main(void) {
  install_handler(SIGSEGV, mending_handler, 0);
  host_init();
  engines[0].flags = engines[1].flags = SA_ONSTACK;
  uint64_t id = engine_adopt(0, 0, 0);
  ok(engine_traps(0), "the engine's trap before");
  child_passes(traps, NULL, "a child");
  pthread_t thread;
  must(pthread_create(&thread, NULL, forks, NULL) == 0 && pthread_join(thread, NULL) == 0);
  must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  child_passes(ends, NULL, "a child that ends what has begun");
  must(pthread_create(&thread, NULL, forks_while_begun, NULL) == 0 && pthread_join(thread, NULL) == 0);
  engine_install(1);
  same(wasmtrap_adopt_end(0, &id), WASMTRAP_OK, "and so does the parent");
  ok(engine_traps(1) && engine_traps(0) && library_traps(), "all have their traps");
  return tap_done();
}
