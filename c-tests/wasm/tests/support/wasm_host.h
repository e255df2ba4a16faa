/*
 * A host for the test modules: the calls that every host of wasm_rt_wasmtrap.h makes. Exported functions are called
 * with one number or none, and may return one.
 */
#ifndef WASM_HOST_H
#define WASM_HOST_H

#include "tap.h"
#include "wasm_rt_wasmtrap.h"

typedef struct wasm_call_t {
  void *instance;
  uint32_t argument;
  uint32_t result;
} wasm_call_t;

/* Define NAME_of_MODULE, which does a wasm_call_t: a function of one number with a result, one without, and one that
 * has neither. */
#define WASM_FUNCTION(module, name)                                               \
  static void name##_of_##module(void *argument) {                                \
    wasm_call_t *call = argument;                                                 \
    call->result = w2c_##module##_##name(call->instance, call->argument);         \
  }
#define WASM_ACTION(module, name)                                                 \
  static void name##_of_##module(void *argument) {                                \
    wasm_call_t *call = argument;                                                 \
    w2c_##module##_##name(call->instance, call->argument);                        \
  }
/* Defines instantiate_MODULE; the second argument is wasm2c_MODULE_instantiate's, in parentheses, `instance` first. */
#define WASM_INSTANTIATE(module, arguments)                                       \
  static void instantiate_##module(void *argument) {                              \
    void *instance = ((wasm_call_t *)argument)->instance;                         \
    wasm2c_##module##_instantiate arguments;                                      \
  }

/* Sets up the library and the runtime. */
void wasm_host_set_up(void);
/* Registers the module. Returns the code's id. */
uint64_t wasm_host_add(const wasm_rt_wasmtrap_module_t *module);
/* wasm_rt_wasmtrap_call of one of the functions above. `result` and `trap` may be NULL; `trap` is set up here. */
wasmtrap_status_t wasm_host_call(wasmtrap_function_t function, void *instance, uint32_t argument, uint32_t *result,
                                 wasmtrap_trap_t *trap);
/* The same where it must not trap: the result. */
uint32_t wasm_host_result(wasmtrap_function_t function, void *instance, uint32_t argument);

/* One check: the call trapped with that code. */
int trapped_with(wasmtrap_status_t status, const wasmtrap_trap_t *trap, wasmtrap_code_t code, const char *name);
/* One check: it was a memory fault at that address of that memory. */
int trapped_in(wasmtrap_status_t status, const wasmtrap_trap_t *trap, const wasm_rt_memory_t *memory, uint64_t address,
               const char *name);

#endif
