/* Whatever comes in, an error comes out that says what is wrong, outputs are untouched, and the process is unharmed. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "hosting.h"

static wasmtime_host_engine_t *engine;

static void load_fails(const void *bytes, size_t length, const char *part, const char *name) {
  wasmtime_host_module_t *untouched = (wasmtime_host_module_t *)&engine, *module = untouched;
  fails(wasmtime_host_module_load(engine, bytes, length, &module), WASMTIME_HOST_MODULE, part, name);
  ok(module == untouched, "%s: the output is untouched", name);
}

static void files(void) {
  size_t length;
  unsigned char *file = read_module("traps.module", &length);
  load_fails(NULL, 0, "cut short", "an empty file");
  for (size_t cut = 1; cut < length; cut = cut < 128 ? cut + 1 : cut + length / 64) {
    wasmtime_host_module_t *module = NULL;
    wasmtime_host_error_t *error = wasmtime_host_module_load(engine, file, cut, &module);
    if (wasmtime_host_error_kind(error) != WASMTIME_HOST_MODULE || module != NULL)
      ok(0, "a file cut to %zu bytes of %zu", cut, length);
    wasmtime_host_error_free(error);
  }
  file[length / 2] ^= 1;
  load_fails(file, length, "digest", "a file with a wrong bit");
  free(file);
  load_fails("\0asm\1\0\0\0", 8, "not been compiled", "a module that is not compiled");
  load_fails("some text", 9, "does not begin as one", "a text");

  wasmtime_host_module_t *module = NULL;
  file = read_module("another_processor.module", &length);
  load_fails(file, length, "compiled for architecture", "a module for another processor");
  free(file);
  file = read_module("another_wasmtime.module", &length);
  load_fails(file, length, "incompatible version '47'", "a module of another Wasmtime");
  free(file);
  fails(wasmtime_host_module_load_file(engine, "/nonesuch/file", &module), WASMTIME_HOST_MODULE,
        "/nonesuch/file: No such", "a file that is not there");
}

static void null_pointers(void) {
  wasmtime_host_module_t *module = NULL;
  wasmtime_host_config_t config = {0};
  fails(wasmtime_host_engine_new(NULL, NULL), WASMTIME_HOST_ARGUMENT, "engine is NULL", "no place for an engine");
  fails(wasmtime_host_engine_new(&config, &engine), WASMTIME_HOST_ARGUMENT, "struct_size is 0",
        "a config without its size");
  fails(wasmtime_host_module_load(NULL, "", 0, &module), WASMTIME_HOST_ARGUMENT, "engine is NULL", "no engine");
  fails(wasmtime_host_module_load(engine, NULL, 5, &module), WASMTIME_HOST_ARGUMENT, "bytes is NULL", "no bytes");
  fails(wasmtime_host_module_load_file(engine, NULL, &module), WASMTIME_HOST_ARGUMENT, "path is NULL", "no path");
  fails(wasmtime_host_call(NULL, "f", NULL, 0, NULL, 0), WASMTIME_HOST_ARGUMENT, "instance is NULL", "no instance");
  same(wasmtime_host_error_kind(NULL), 0, "no error has no kind");
  same_text(wasmtime_host_error_message(NULL), "", "and no message");
  same(wasmtime_host_error_frame(NULL, 0, NULL), 0, "and no frame");
  wasmtime_host_error_free(NULL);
  wasmtime_host_engine_free(NULL);
  wasmtime_host_instance_free(NULL);
}

static void imports(void) {
  wasmtime_host_module_t *module = load(engine, "traps.module");
  wasmtime_host_linker_t *linker = NULL, *another_linker = NULL;
  wasmtime_host_store_t *store = NULL;
  wasmtime_host_engine_t *another_engine = new_engine();
  wasmtime_host_instance_t *instance = NULL;
  must(wasmtime_host_linker_new(engine, &linker) == NULL && wasmtime_host_store_new(engine, &store) == NULL);
  must(wasmtime_host_linker_new(another_engine, &another_linker) == NULL);
  fails(wasmtime_host_instance_new(linker, store, module, &instance), WASMTIME_HOST_LINK,
        "unknown import: `host::refuse`", "a missing import");
  fails(wasmtime_host_instance_new(another_linker, store, module, &instance), WASMTIME_HOST_ARGUMENT, "of one engine",
        "a linker of another engine");
  const wasmtime_host_type_t wrong[] = {WASMTIME_HOST_I32, 99};
  fails(wasmtime_host_linker_define_function(linker, "host", "refuse", wrong, 2, NULL, 0, NULL, NULL, NULL),
        WASMTIME_HOST_ARGUMENT, "callback is NULL", "no callback");
  must(instance == NULL);
  wasmtime_host_linker_free(another_linker);
  wasmtime_host_engine_free(another_engine);
  wasmtime_host_store_free(store);
  wasmtime_host_linker_free(linker);
  wasmtime_host_module_free(module);
}

static void calls(void) {
  wasmtime_host_instance_t *instance = instantiate(engine, "traps.module");
  wasmtime_host_value_t value = {WASMTIME_HOST_F64, 0, {0}}, result = {77, 77, {0}};
  fails(wasmtime_host_call(instance, "nonesuch", NULL, 0, NULL, 0), WASMTIME_HOST_ARGUMENT,
        "exports nothing named \"nonesuch\"", "a function that does not exist");
  fails(wasmtime_host_call(instance, "memory", NULL, 0, NULL, 0), WASMTIME_HOST_ARGUMENT, "is no function",
        "an export that is no function");
  fails(wasmtime_host_call(instance, "go_on", &value, 1, &result, 1), WASMTIME_HOST_ARGUMENT, "0 parameters, not 1",
        "a wrong number of arguments");
  fails(wasmtime_host_call(instance, "go_on", NULL, 0, NULL, 0), WASMTIME_HOST_ARGUMENT, "1 results, not 0",
        "a wrong number of results");
  fails(wasmtime_host_call(instance, "\xff", NULL, 0, NULL, 0), WASMTIME_HOST_ARGUMENT, "name is not UTF-8",
        "a name that is no text");
  same(result.type, 77, "the results are untouched");
  char byte = 0;
  fails(wasmtime_host_memory_read(instance, "memory", UINT64_MAX, &byte, 1), WASMTIME_HOST_ARGUMENT, "not all in",
        "an address past the end");
  same(call_number(instance, "go_on", NULL), 1, "the instance is as it was");
  wasmtime_host_instance_free(instance);
}

static void memory_that_cannot_be_had(void) {
  struct rlimit limit, before;
  wasmtime_host_module_t *module = load(engine, "huge.module");
  wasmtime_host_linker_t *linker = linker_with_refuse(engine);
  wasmtime_host_store_t *store = NULL;
  wasmtime_host_instance_t *instance = NULL;
  must(wasmtime_host_store_new(engine, &store) == NULL);
  must(getrlimit(RLIMIT_AS, &before) == 0);
  limit = before;
  limit.rlim_cur = (rlim_t)16 << 30;
  must(setrlimit(RLIMIT_AS, &limit) == 0);
  fails(wasmtime_host_instance_new(linker, store, module, &instance), WASMTIME_HOST_RESOURCE, "os error 12",
        "memories that cannot be reserved");
  must(setrlimit(RLIMIT_AS, &before) == 0);
  succeeds(wasmtime_host_instance_new(linker, store, module, &instance), "the same with room for them");
  fails(wasmtime_host_memory_grow(instance, "memory", 65536, NULL), WASMTIME_HOST_RESOURCE, "failed to grow memory",
        "growth past the maximum");
  wasmtime_host_instance_free(instance);
  wasmtime_host_store_free(store);
  wasmtime_host_linker_free(linker);
  wasmtime_host_module_free(module);
}

int main(void) {
  engine = new_engine();
  files();
  null_pointers();
  imports();
  calls();
  memory_that_cannot_be_had();
  wasmtime_host_instance_t *instance = instantiate(engine, "traps.module");
  traps(call_action(instance, "load_past_the_end"), WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
        "wasm trap: out of bounds memory access", "after all that, a load past the end");
  wasmtime_host_instance_free(instance);
  wasmtime_host_engine_free(engine);
  return tap_done();
}
