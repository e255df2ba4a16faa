/*
 * A plug-in that has the static library inside and is closed under its handlers: the library keeps the plug-in in
 * memory. Two such plug-ins, or one and the shared library, have a copy of the library each, and live side by side:
 * each catches its own traps, and passes on the other's.
 */
#include <signal.h>

#include "process.h"
#include "use.h"

static void crash(void *unused) {
  (void)unused;
  wasm_access_t access = {0, 0};
  wasm_store.function(&access);
}

static void *load(const char *path) {
  void *const object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (object == NULL) tap_note("%s", dlerror());
  must(object != NULL);
  return object;
}

static void closed_under_its_handlers(void *unused) {
  (void)unused;
  void *const object = load(PLUGIN);
  const api_t api = api_of(object);
  same(api.wasmtrap_init_(NULL), WASMTRAP_OK, "a library in a plug-in");
  const uint64_t id = use_register(&api, &wasm_load);
  ok(use_traps(&api, &wasm_load, id), "catches traps");
  same(dlclose(object), 0, "dlclose under its handlers");
  ok(use_traps(&api, &wasm_load, id), "catches traps still");
  crash(NULL);
}

static void side_by_side(void *unused) {
  (void)unused;
  const api_t plugin = api_of(load(PLUGIN));
  const api_t library = api_of(load(LIBRARY));
  must(plugin.wasmtrap_init_ != library.wasmtrap_init_);
  must(plugin.wasmtrap_init_(NULL) == WASMTRAP_OK && library.wasmtrap_init_(NULL) == WASMTRAP_OK);
  const wasm_code_t plugins_code = wasm_compile(&wasm_load), librarys_code = wasm_compile(&wasm_load);
  const uint64_t plugins_id = use_register(&plugin, &plugins_code);
  const uint64_t librarys_id = use_register(&library, &librarys_code);
  for (int i = 0; i < 10; i++) {
    ok(use_traps(&plugin, &plugins_code, plugins_id), "the plug-in's copy catches its traps");
    ok(use_traps(&library, &librarys_code, librarys_id), "the shared library catches its own");
  }
  uint32_t displaced = 0;
  ok(plugin.wasmtrap_check_(&displaced) == WASMTRAP_OK && displaced != 0, "one of them is on top");
  for (int i = 0; i < 20; i++) {
    /* There is a limit to this, after which things stay as they are. */
    const wasmtrap_status_t plugins = plugin.wasmtrap_rearm_(), librarys = library.wasmtrap_rearm_();
    ok((plugins == WASMTRAP_OK || plugins == WASMTRAP_ERR_LIMIT) &&
           (librarys == WASMTRAP_OK || librarys == WASMTRAP_ERR_LIMIT),
       "they put each other underneath");
    ok(use_traps(&plugin, &plugins_code, plugins_id), "the plug-in's copy catches its traps");
    ok(use_traps(&library, &librarys_code, librarys_id), "the shared library catches its own");
  }
  crash(NULL);
}

static void shut_down_in_any_order(void *first) {
  const api_t plugin = api_of(load(PLUGIN));
  const api_t library = api_of(load(LIBRARY));
  must(plugin.wasmtrap_init_(NULL) == WASMTRAP_OK && library.wasmtrap_init_(NULL) == WASMTRAP_OK);
  const api_t *const ends = first != NULL ? &plugin : &library;
  const api_t *const stays = first != NULL ? &library : &plugin;
  const uint64_t id = use_register(stays, &wasm_load);
  same(ends->wasmtrap_shutdown_(), WASMTRAP_OK, "one of them is shut down");
  ok(use_traps(stays, &wasm_load, id), "the other catches its traps");
  same(stays->wasmtrap_shutdown_(), WASMTRAP_OK, "then it is shut down, too");
  crash(NULL);
}

int main(void) {
  const size_t pc = wasm_fault_pc(&wasm_store);
  static int first;
  child_dies_at(SIGSEGV, pc, closed_under_its_handlers, NULL, "a plug-in that was closed, in the end a crash");
  child_dies_at(SIGSEGV, pc, side_by_side, NULL, "two copies, in the end a crash");
  child_dies_at(SIGSEGV, pc, shut_down_in_any_order, &first, "the lower copy is shut down first, in the end a crash");
  child_dies_at(SIGSEGV, pc, shut_down_in_any_order, NULL, "the upper copy is shut down first, in the end a crash");
  return tap_done();
}
