/*
 * What a compiled module's shared object tells about itself, so that a host can use it without its generated header:
 * exports with their signatures, imports, how to instantiate it. describe_interface.py makes it from the WebAssembly
 * binary; it is linked with the module and is the one symbol that the shared object exports.
 *
 * Signatures are a letter a value: i32 i, i64 j, f32 f, f64 d, v128 v, funcref r, externref x.
 */
#ifndef MODULE_INTERFACE_H
#define MODULE_INTERFACE_H

#include <stddef.h>
#include <stdint.h>

#include "wasm_rt_wasmtrap.h"

#define MODULE_INTERFACE_SYMBOL "wasm_module_interface"
#define MODULE_INTERFACE_MARK "wasm module interface 2"

typedef union wasm_value_t {
  uint32_t i32;
  uint64_t i64;
  float f32;
  double f64;
} wasm_value_t;

/* Who satisfies the imports. One function for all of them: `import` is the index in the table of imports. It returns
 * WASMTRAP_CODE_NONE, and has set the results, or the code of the trap that the module is to end with. */
typedef struct wasm_host_t wasm_host_t;
struct wasm_host_t {
  wasmtrap_code_t (*call)(wasm_host_t *host, size_t import, const wasm_value_t *params, wasm_value_t *results);
};

typedef struct module_function_t {
  const char *name;
  const char *params;
  const char *results;
  /* NULL where a type of the signature is none of i32, i64, f32, f64. */
  void (*invoke)(void *instance, const wasm_value_t *params, wasm_value_t *results);
} module_function_t;

typedef struct module_import_t {
  const char *module;
  const char *name;
  const char *params;
  const char *results;
} module_import_t;

typedef struct module_memory_t {
  const char *name;
  wasm_rt_memory_t *(*of)(void *instance);
} module_memory_t;

typedef struct module_interface_t {
  /* MODULE_INTERFACE_MARK. */
  char mark[32];
  size_t struct_size;
  const wasm_rt_wasmtrap_module_t *code;
  size_t instance_size;
  /* The instance is zeroed memory of instance_size bytes, aligned as malloc does. Can trap. */
  void (*instantiate)(void *instance, wasm_host_t *host);
  /* Of any instance whose instantiation was begun. */
  void (*release)(void *instance);
  const module_function_t *functions;
  size_t function_count;
  const module_import_t *imports;
  size_t import_count;
  const module_memory_t *memories;
  size_t memory_count;
} module_interface_t;

#endif
