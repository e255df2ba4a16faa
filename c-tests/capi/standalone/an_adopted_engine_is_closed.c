/* dlclose of the object that an adopted engine's handlers are in: the object stays, and with it who takes the engine's
 * faults; so it does when the engine is released after that. An object that is gone when the adoption ends is refused.
 */
#include <dlfcn.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "engine.h"
#include "host.h"
#include "memory.h"
#include "process.h"

static engine_mended_t mended;
static unsigned char *page;

static void *symbol(void *object, const char *name) {
  void *const found = dlsym(object, name);
  if (found == NULL) tap_note("%s", dlerror());
  must(found != NULL);
  return found;
}

/* Loads the engine and starts it. */
static void *start(void) {
  void *const object = dlopen(ENGINE, RTLD_NOW | RTLD_LOCAL);
  if (object == NULL) tap_note("%s", dlerror());
  must(object != NULL);
  void *const found = symbol(object, "engine_start");
  engine_start_t engine_start;
  memcpy(&engine_start, &found, sizeof engine_start);
  void *const counts = symbol(object, "engine_mended");
  memcpy(&mended, &counts, sizeof mended);
  page = mmap(NULL, page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
  must(page != MAP_FAILED);
  engine_start(page, page_size());
  return object;
}

/* A fault of the host's that the engine's handler mends; and a trap of the library's. */
static void goes_on(uint64_t code_id, const char *when) {
  must(mprotect(page, page_size(), PROT_NONE) == 0);
  const int before = mended();
  *(volatile unsigned char *)page = 1;
  same(mended(), before + 1, "%s: the engine's handler has taken its fault", when);
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap = host_new_trap();
  ok(wasmtrap_call(wasm_load.function, &access, &trap) == WASMTRAP_TRAPPED && trap.code_id == code_id,
     "%s: the library traps", when);
}

static void closed(void *unused) {
  (void)unused;
  must(wasmtrap_init(NULL) == WASMTRAP_OK);
  const uint64_t code_id = host_register_code(&wasm_load);
  must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  void *const object = start();
  uint64_t id = 0;
  must(wasmtrap_adopt_end(0, &id) == WASMTRAP_OK);
  goes_on(code_id, "adopted");
  same(dlclose(object), 0, "dlclose while it is adopted");
  goes_on(code_id, "closed");
  same(wasmtrap_adopt_release(id), WASMTRAP_OK, "wasmtrap_adopt_release");
  goes_on(code_id, "released");
  same(wasmtrap_rearm(), WASMTRAP_OK, "wasmtrap_rearm");
  goes_on(code_id, "with the library on top");
}

static void gone_before_the_end(void *unused) {
  (void)unused;
  must(wasmtrap_init(NULL) == WASMTRAP_OK);
  const uint64_t code_id = host_register_code(&wasm_load);
  const int signals[] = {SIGSEGV, SIGBUS};
  struct sigaction before[2], after;
  must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  for (int i = 0; i < 2; i++) must(sigaction(signals[i], NULL, &before[i]) == 0);
  void *const object = start();
  must(sigaction(SIGSEGV, NULL, &after) == 0);
  void *const found = symbol(object, "engine_stop");
  engine_stop_t stop;
  memcpy(&stop, &found, sizeof stop);
  void *handler;
  memcpy(&handler, &after.sa_sigaction, sizeof handler);
  same(dlclose(object), 0, "dlclose before the adoption has ended");
  Dl_info info;
  if (dladdr(handler, &info) != 0) {
    /* musl's dlclose unloads nothing. */
    stop();
    tap_skip("dlclose unloads nothing here", "an engine that is gone");
    return;
  }
  uint64_t id = 77;
  same(wasmtrap_adopt_end(0, &id), WASMTRAP_ERR_INVALID_ARGUMENT, "wasmtrap_adopt_end");
  contains(wasmtrap_last_error(), "unloaded", "and what is wrong");
  same(id, 77, "the id is untouched");
  /* The host takes away what the engine has left. */
  for (int i = 0; i < 2; i++) must(sigaction(signals[i], &before[i], NULL) == 0);
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap = host_new_trap();
  ok(wasmtrap_call(wasm_load.function, &access, &trap) == WASMTRAP_TRAPPED && trap.code_id == code_id,
     "the library traps");
}

int main(void) {
  child_passes(closed, NULL, "an engine that is closed while it is adopted");
  child_passes(gone_before_the_end, NULL, "an engine that is gone before");
  return tap_done();
}
