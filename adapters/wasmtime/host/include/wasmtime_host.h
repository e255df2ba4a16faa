/*
 * A WebAssembly host in C: Wasmtime, running modules that were compiled before, with its traps on libwasmtrap.
 *
 * In short: an engine, once; modules loaded into it; a store for each group of instances; a linker with what modules
 * import; instances; calls. What can fail returns an error object, NULL for success. A trap is such an object.
 *
 * Rules for all functions:
 * - Objects may be freed in any order: each keeps alive what it needs. Freeing NULL does nothing.
 * - Engines, modules and linkers without functions may be used by any threads at once. A store, with its instances, is
 *   used by one thread at a time; a call by another thread meanwhile is an error of kind WASMTIME_HOST_BUSY.
 * - Names are NUL-terminated UTF-8. Outputs are untouched on error.
 * - A host function may call back into the store that called it.
 */
#ifndef WASMTIME_HOST_H
#define WASMTIME_HOST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wasmtime_host_engine_t wasmtime_host_engine_t;
typedef struct wasmtime_host_module_t wasmtime_host_module_t;
typedef struct wasmtime_host_store_t wasmtime_host_store_t;
typedef struct wasmtime_host_linker_t wasmtime_host_linker_t;
typedef struct wasmtime_host_instance_t wasmtime_host_instance_t;
typedef struct wasmtime_host_error_t wasmtime_host_error_t;

/* ===== Errors ===== */

/* What went wrong. */
typedef uint32_t wasmtime_host_error_kind_t;
#define WASMTIME_HOST_TRAP 1u      /* WebAssembly trapped */
#define WASMTIME_HOST_EXCEPTION 2u /* WebAssembly threw an exception that nobody caught */
#define WASMTIME_HOST_FUNCTION 3u  /* a host function failed, with its own message */
#define WASMTIME_HOST_ENGINE 4u    /* the engine, or libwasmtrap below it, cannot be set up */
#define WASMTIME_HOST_MODULE 5u    /* no module: no file of the compiler's, not whole, or made for others */
#define WASMTIME_HOST_LINK 6u      /* an import is missing or of another type */
#define WASMTIME_HOST_ARGUMENT 7u  /* a wrong argument of these functions: values in number or type, a name, a NULL */
#define WASMTIME_HOST_RESOURCE 8u  /* memory that cannot be had */
#define WASMTIME_HOST_BUSY 9u      /* the store is in use on another thread */

/* A frame of WebAssembly in an error's backtrace, the innermost first. Names are NULL where there are none. */
typedef struct wasmtime_host_frame_t {
  const char *module_name;
  const char *function_name;
  uint32_t function_index;
  size_t function_offset; /* in bytes from the function's start in the .wasm file, SIZE_MAX if unknown */
  size_t module_offset;   /* in bytes from the file's start, SIZE_MAX if unknown */
} wasmtime_host_frame_t;

wasmtime_host_error_kind_t wasmtime_host_error_kind(const wasmtime_host_error_t *error);
/* The whole message, Wasmtime's own, causes and backtrace included. Lives as long as the error. */
const char *wasmtime_host_error_message(const wasmtime_host_error_t *error);
/* The reason alone: for a trap Wasmtime's words for it, such as "wasm trap: integer divide by zero". */
const char *wasmtime_host_error_reason(const wasmtime_host_error_t *error);
/* For a trap, libwasmtrap's code for it (WASMTRAP_CODE_*), 0 if it has none; 0 for all else. */
uint32_t wasmtime_host_error_trap_code(const wasmtime_host_error_t *error);
size_t wasmtime_host_error_frame_count(const wasmtime_host_error_t *error);
/* Fills in `frame`, whose names live as long as the error; 0 if there is no frame of this number. */
int wasmtime_host_error_frame(const wasmtime_host_error_t *error, size_t number, wasmtime_host_frame_t *frame);
/* An error of kind WASMTIME_HOST_FUNCTION, for a host function to return. */
wasmtime_host_error_t *wasmtime_host_error_new(const char *message);
void wasmtime_host_error_free(wasmtime_host_error_t *error);

/* ===== Values ===== */

typedef uint32_t wasmtime_host_type_t;
#define WASMTIME_HOST_I32 1u
#define WASMTIME_HOST_I64 2u
#define WASMTIME_HOST_F32 3u
#define WASMTIME_HOST_F64 4u
#define WASMTIME_HOST_V128 5u
#define WASMTIME_HOST_FUNCREF 6u   /* a reference to a function, of whatever type, nullable or not */
#define WASMTIME_HOST_EXTERNREF 7u /* a reference of the host's */
#define WASMTIME_HOST_ANYREF 8u    /* a reference to an i31, structure or array */
#define WASMTIME_HOST_EXNREF 9u    /* a reference to an exception */

/* What a reference refers to. */
typedef uint32_t wasmtime_host_reference_t;
#define WASMTIME_HOST_REF_NULL 0u
#define WASMTIME_HOST_REF_FUNCTION 1u
#define WASMTIME_HOST_REF_HOST 2u /* `number` is the host's */
#define WASMTIME_HOST_REF_I31 3u  /* `number` is its value, with its sign */
#define WASMTIME_HOST_REF_STRUCT 4u
#define WASMTIME_HOST_REF_ARRAY 5u
#define WASMTIME_HOST_REF_EXCEPTION 6u

/* A value. References come out with what they refer to; those to functions, structures, arrays and exceptions cannot be
 * passed back in. */
typedef struct wasmtime_host_value_t {
  wasmtime_host_type_t type;
  wasmtime_host_reference_t reference; /* for types that are references, else 0 */
  union {
    int32_t i32;
    int64_t i64;
    float f32;
    double f64;
    uint8_t v128[16]; /* in WebAssembly's byte order */
    uint64_t number;
  } of;
} wasmtime_host_value_t;

/* ===== Engines and modules ===== */

typedef struct wasmtime_host_config_t {
  size_t struct_size;    /* sizeof(wasmtime_host_config_t) */
  size_t max_wasm_stack; /* bytes of stack that WebAssembly may use, 0 for Wasmtime's default */
  uint32_t no_backtrace; /* 1: errors carry no backtrace */
  uint32_t reserved;     /* 0 */
} wasmtime_host_config_t;

/* An engine; `config` NULL for the defaults. It has libwasmtrap set up, if the host has not done so itself. */
wasmtime_host_error_t *wasmtime_host_engine_new(const wasmtime_host_config_t *config, wasmtime_host_engine_t **engine);
void wasmtime_host_engine_free(wasmtime_host_engine_t *engine);

/* Loads what the compiler (wasm-compile) made of a module. The bytes are copied. They are checked: whatever is not
 * whole, or made for another processor or Wasmtime, is an error. Whoever can write such a file can have any machine
 * code run, though: load none from those who may not. */
wasmtime_host_error_t *wasmtime_host_module_load(wasmtime_host_engine_t *engine, const void *bytes, size_t length,
                                                 wasmtime_host_module_t **module);
wasmtime_host_error_t *wasmtime_host_module_load_file(wasmtime_host_engine_t *engine, const char *path,
                                                      wasmtime_host_module_t **module);
void wasmtime_host_module_free(wasmtime_host_module_t *module);

/* What a module imports. All pointers live as long as the module. */
typedef struct wasmtime_host_import_t {
  const char *module_name;
  const char *name;
  uint32_t is_function; /* 0 for memories, tables, globals and tags, which have no types below */
  const wasmtime_host_type_t *parameters;
  size_t parameter_count;
  const wasmtime_host_type_t *results;
  size_t result_count;
} wasmtime_host_import_t;

/* Fills in `import`; 0 if there is none of this number. */
int wasmtime_host_module_import(const wasmtime_host_module_t *module, size_t number, wasmtime_host_import_t *import);

/* ===== Stores, linkers, instances ===== */

wasmtime_host_error_t *wasmtime_host_store_new(wasmtime_host_engine_t *engine, wasmtime_host_store_t **store);
void wasmtime_host_store_free(wasmtime_host_store_t *store);

/* A host function: `results` are preset with their types and zero. Returns NULL, or an error that it hands over; the
 * call that led here then fails with it. It must not be left by longjmp or a C++ exception. */
typedef wasmtime_host_error_t *(*wasmtime_host_callback_t)(void *data, const wasmtime_host_value_t *arguments,
                                                           size_t argument_count, wasmtime_host_value_t *results,
                                                           size_t result_count);

/* A linker holds what modules import. What it has instances of belongs to one store. */
wasmtime_host_error_t *wasmtime_host_linker_new(wasmtime_host_engine_t *engine, wasmtime_host_linker_t **linker);
void wasmtime_host_linker_free(wasmtime_host_linker_t *linker);
/* Defines a function. `release` (may be NULL) gets `data` once nobody can call the function any more, also if this
 * fails. A later definition of the same name takes an earlier one's place. */
wasmtime_host_error_t *wasmtime_host_linker_define_function(wasmtime_host_linker_t *linker, const char *module_name,
                                                            const char *name, const wasmtime_host_type_t *parameters,
                                                            size_t parameter_count, const wasmtime_host_type_t *results,
                                                            size_t result_count, wasmtime_host_callback_t callback,
                                                            void *data, void (*release)(void *data));
/* Defines all exports of an instance. */
wasmtime_host_error_t *wasmtime_host_linker_define_instance(wasmtime_host_linker_t *linker, const char *module_name,
                                                            const wasmtime_host_instance_t *instance);

/* Instantiates a module and runs its start function. */
wasmtime_host_error_t *wasmtime_host_instance_new(wasmtime_host_linker_t *linker, wasmtime_host_store_t *store,
                                                  const wasmtime_host_module_t *module,
                                                  wasmtime_host_instance_t **instance);
void wasmtime_host_instance_free(wasmtime_host_instance_t *instance);
/* The store that an instance lives in: another handle, to be freed by itself. */
wasmtime_host_error_t *wasmtime_host_instance_store(const wasmtime_host_instance_t *instance,
                                                    wasmtime_host_store_t **store);

/* ===== Using an instance ===== */

/* Calls an exported function. The numbers must be the function's, and the arguments of its types. */
wasmtime_host_error_t *wasmtime_host_call(const wasmtime_host_instance_t *instance, const char *name,
                                          const wasmtime_host_value_t *arguments, size_t argument_count,
                                          wasmtime_host_value_t *results, size_t result_count);
/* Tells an exported function's type: the counts, and as many types as the arrays have room for. */
wasmtime_host_error_t *wasmtime_host_function_type(const wasmtime_host_instance_t *instance, const char *name,
                                                   wasmtime_host_type_t *parameters, size_t parameter_capacity,
                                                   size_t *parameter_count, wasmtime_host_type_t *results,
                                                   size_t result_capacity, size_t *result_count);
wasmtime_host_error_t *wasmtime_host_global_get(const wasmtime_host_instance_t *instance, const char *name,
                                                wasmtime_host_value_t *value);
/* Of an exported memory: its size in bytes, and copies out of and into it. */
wasmtime_host_error_t *wasmtime_host_memory_size(const wasmtime_host_instance_t *instance, const char *name,
                                                 uint64_t *size);
wasmtime_host_error_t *wasmtime_host_memory_read(const wasmtime_host_instance_t *instance, const char *name,
                                                 uint64_t address, void *bytes, size_t length);
wasmtime_host_error_t *wasmtime_host_memory_write(const wasmtime_host_instance_t *instance, const char *name,
                                                  uint64_t address, const void *bytes, size_t length);
/* Grows it by pages; `earlier_size` (may be NULL) receives its size before, in pages. */
wasmtime_host_error_t *wasmtime_host_memory_grow(const wasmtime_host_instance_t *instance, const char *name,
                                                 uint64_t pages, uint64_t *earlier_size);

#ifdef __cplusplus
}
#endif

#endif
