#include "hosting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must_succeed(wasmtime_host_error_t *error, const char *what) {
  if (error == NULL) return;
  tap_note("%s: %s", what, wasmtime_host_error_message(error));
  must(error == NULL);
}

static const char *module_path(const char *file) {
  static char path[4096];
  const char *folder = getenv("WASM_MODULES");
  must(snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : WASM_MODULES, file) < (int)sizeof path);
  return path;
}

wasmtime_host_engine_t *new_engine(void) {
  wasmtime_host_engine_t *engine = NULL;
  must_succeed(wasmtime_host_engine_new(NULL, &engine), "engine");
  return engine;
}

wasmtime_host_module_t *load(wasmtime_host_engine_t *engine, const char *file) {
  wasmtime_host_module_t *module = NULL;
  must_succeed(wasmtime_host_module_load_file(engine, module_path(file), &module), file);
  return module;
}

static wasmtime_host_error_t *refuse(void *data, const wasmtime_host_value_t *arguments, size_t argument_count,
                                     wasmtime_host_value_t *results, size_t result_count) {
  (void)data, (void)arguments, (void)argument_count, (void)results, (void)result_count;
  return wasmtime_host_error_new("the host refuses");
}

wasmtime_host_linker_t *linker_with_refuse(wasmtime_host_engine_t *engine) {
  wasmtime_host_linker_t *linker = NULL;
  must_succeed(wasmtime_host_linker_new(engine, &linker), "linker");
  must_succeed(wasmtime_host_linker_define_function(linker, "host", "refuse", NULL, 0, NULL, 0, refuse, NULL, NULL),
               "host.refuse");
  return linker;
}

wasmtime_host_instance_t *instantiate_in(wasmtime_host_linker_t *linker, wasmtime_host_store_t *store,
                                         const wasmtime_host_module_t *module) {
  wasmtime_host_instance_t *instance = NULL;
  must_succeed(wasmtime_host_instance_new(linker, store, module, &instance), "instance");
  return instance;
}

wasmtime_host_instance_t *instantiate(wasmtime_host_engine_t *engine, const char *file) {
  wasmtime_host_module_t *module = load(engine, file);
  wasmtime_host_linker_t *linker = linker_with_refuse(engine);
  wasmtime_host_store_t *store = NULL;
  must_succeed(wasmtime_host_store_new(engine, &store), "store");
  wasmtime_host_instance_t *instance = instantiate_in(linker, store, module);
  wasmtime_host_store_free(store);
  wasmtime_host_linker_free(linker);
  wasmtime_host_module_free(module);
  return instance;
}

unsigned char *read_module(const char *file, size_t *length) {
  FILE *stream = fopen(module_path(file), "rb");
  must(stream != NULL);
  must(fseek(stream, 0, SEEK_END) == 0);
  long end = ftell(stream);
  must(end > 0);
  rewind(stream);
  unsigned char *bytes = malloc((size_t)end);
  must(bytes != NULL && fread(bytes, 1, (size_t)end, stream) == (size_t)end);
  fclose(stream);
  *length = (size_t)end;
  return bytes;
}

int fails(wasmtime_host_error_t *error, wasmtime_host_error_kind_t kind, const char *part, const char *name) {
  int good = same(wasmtime_host_error_kind(error), kind, "%s: the kind of error", name);
  good &= contains(wasmtime_host_error_message(error), part, "%s: its message", name);
  wasmtime_host_error_free(error);
  return good;
}

int traps(wasmtime_host_error_t *error, uint32_t code, const char *reason, const char *name) {
  int good = same(wasmtime_host_error_kind(error), WASMTIME_HOST_TRAP, "%s traps", name);
  good &= same(wasmtime_host_error_trap_code(error), code, "%s: the trap's code", name);
  good &= same_text(wasmtime_host_error_reason(error), reason, "%s: Wasmtime's words", name);
  wasmtime_host_error_free(error);
  return good;
}

int succeeds(wasmtime_host_error_t *error, const char *name) {
  int good = ok(error == NULL, "%s succeeds", name);
  if (!good) tap_note("%s", wasmtime_host_error_message(error));
  wasmtime_host_error_free(error);
  return good;
}

wasmtime_host_error_t *call_action(const wasmtime_host_instance_t *instance, const char *name) {
  return wasmtime_host_call(instance, name, NULL, 0, NULL, 0);
}

int32_t call_number(const wasmtime_host_instance_t *instance, const char *name, const int32_t *argument) {
  wasmtime_host_value_t given = {WASMTIME_HOST_I32, 0, {0}};
  wasmtime_host_value_t result = {0, 0, {0}};
  if (argument != NULL) given.of.i32 = *argument;
  must_succeed(wasmtime_host_call(instance, name, &given, argument != NULL, &result, 1), name);
  must(result.type == WASMTIME_HOST_I32);
  return result.of.i32;
}
