/* A module in a shared object of its own is loaded, traps, and is unloaded, again and again: all it needs is its code
 * and its description, and the runtime that is in the process already. */
#include <dlfcn.h>
#include <string.h>

#include "memory.h"
#include "wasm_host.h"

typedef struct loaded_t {
  void *object;
  const wasm_rt_wasmtrap_module_t *module;
  void (*instantiate)(w2c_memory *);
  u32 (*load)(w2c_memory *, u32);
  void (*free)(w2c_memory *);
} loaded_t;

static loaded_t loaded;
static w2c_memory instance;

/* dlsym gives a data pointer for a function; POSIX has it that its bytes are the function pointer's. */
static void find(const char *name, void *function) {
  void *symbol = dlsym(loaded.object, name);
  must(symbol != NULL);
  memcpy(function, &symbol, sizeof symbol);
}

/* An older wasm2c has other names, and the module's header leads to them. */
#define SYMBOL(name) TEXT(name)
#define TEXT(name) #name

static void load_module(void) {
  loaded.object = dlopen(MODULE, RTLD_NOW | RTLD_LOCAL);
  if (loaded.object == NULL) tap_note("%s", dlerror());
  must(loaded.object != NULL);
  loaded.module = dlsym(loaded.object, "wasm_module_memory");
  must(loaded.module != NULL);
  find(SYMBOL(wasm2c_memory_instantiate), &loaded.instantiate);
  find(SYMBOL(w2c_memory_load), &loaded.load);
  find(SYMBOL(wasm2c_memory_free), &loaded.free);
}

static void instantiate(void *unused) {
  (void)unused;
  loaded.instantiate(&instance);
}

static void load(void *argument) {
  wasm_call_t *call = argument;
  call->result = loaded.load(&instance, call->argument);
}

int main(void) {
  wasm_host_set_up();
  for (int i = 0; i < 10; i++) {
    wasmtrap_trap_t trap;
    load_module();
    const uint64_t id = wasm_host_add(loaded.module);
    wasm_host_result(instantiate, NULL, 0);
    same(wasm_host_result(load, NULL, 65535), 0, "a good load");
    trapped_in(wasm_host_call(load, NULL, 65536, NULL, &trap), &trap, &instance.w2c_memory, 65536, "a bad one");
    same(trap.code_id, id, "in the module's code");
    loaded.free(&instance);
    same(wasmtrap_code_unregister(id), WASMTRAP_OK, "the code is unregistered");
    must(dlclose(loaded.object) == 0);
    ok(dlopen(MODULE, RTLD_NOW | RTLD_NOLOAD) == NULL, "and the object is gone");
  }
  return tap_done();
}
