#include "wamr_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static void refuse(wasm_exec_env_t env) { wasm_runtime_set_exception(wasm_runtime_get_module_inst(env), "refused"); }

static NativeSymbol imports[] = {{.symbol = "refuse", .func_ptr = (void *)refuse, .signature = "()"},
                                 {.symbol = "enter", .signature = "(i)"}};

void runtime_begin(enter_t enter) {
  RuntimeInitArgs arguments;
  memset(&arguments, 0, sizeof arguments);
  arguments.mem_alloc_type = Alloc_With_System_Allocator;
  imports[1].func_ptr = (void *)enter;
  arguments.native_module_name = "host";
  arguments.native_symbols = imports;
  arguments.n_native_symbols = enter != NULL ? 2 : 1;
  must(wasm_runtime_full_init(&arguments));
}

void runtime_end(void) { wasm_runtime_destroy(); }

guest_t guest_new(const char *name) {
  guest_t guest;
  char path[1024], error[128] = "";
  const char *folder = getenv("WAMR_MODULES"), *suffix = getenv("WAMR_SUFFIX");
  must(folder != NULL && suffix != NULL);
  snprintf(path, sizeof path, "%s/%s.%s", folder, name, suffix);
  FILE *file = fopen(path, "rb");
  must(file != NULL);
  guest.bytes = malloc(1 << 20);
  must(guest.bytes != NULL);
  const size_t size = fread(guest.bytes, 1, 1 << 20, file);
  must(size > 0 && feof(file));
  fclose(file);
  guest.module = wasm_runtime_load(guest.bytes, (uint32_t)size, error, sizeof error);
  if (guest.module == NULL) tap_note("%s: %s", path, error);
  must(guest.module != NULL);
  guest.instance = wasm_runtime_instantiate(guest.module, 64 * 1024, 0, error, sizeof error);
  if (guest.instance == NULL) tap_note("%s: %s", path, error);
  must(guest.instance != NULL);
  guest.env = wasm_runtime_create_exec_env(guest.instance, 64 * 1024);
  must(guest.env != NULL);
  return guest;
}

void guest_delete(guest_t *guest) {
  wasm_runtime_destroy_exec_env(guest->env);
  wasm_runtime_deinstantiate(guest->instance);
  wasm_runtime_unload(guest->module);
  free(guest->bytes);
}

const char *guest_call(guest_t *guest, const char *name, int32_t argument) {
  const wasm_function_inst_t function = wasm_runtime_lookup_function(guest->instance, name);
  uint32_t values[2] = {(uint32_t)argument, 0};
  must(function != NULL);
  wasm_runtime_clear_exception(guest->instance);
  const uint32_t count = wasm_func_get_param_count(function, guest->instance);
  must(count <= 1);
  if (wasm_runtime_call_wasm(guest->env, function, count, values)) return NULL;
  return wasm_runtime_get_exception(guest->instance);
}
