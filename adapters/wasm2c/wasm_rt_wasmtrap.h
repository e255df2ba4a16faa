/*
 * The runtime of wasm2c's output (wasm-rt.h of wabt 1.0.32) on libwasmtrap: the host's side.
 *
 * A module is translated by translate.py, compiled with wasm_rt_wasmtrap_module.h in front, put into a code section of
 * its own, and described by describe_module.py as `wasm_module_NAME`. It is linked into the host or loaded by dlopen;
 * this runtime is there once in a process. A host then does this:
 *
 *     wasmtrap_init(NULL);
 *     wasm_rt_init();
 *     wasm_rt_wasmtrap_module_register(&wasm_module_NAME, &id);    undone by wasmtrap_code_unregister(id)
 *     Z_NAME_init_module();
 *     wasm_rt_wasmtrap_call(...)      for each way into the module, Z_NAME_instantiate among them, which can trap
 *
 * What it keeps to:
 * - Traps come from the processor's own faults or from wasmtrap_raise: there is no signal handler here, and the only
 *   longjmp is that of a WebAssembly exception on its way to its handler.
 * - All code ranges are strict, so a fault is a trap only in a linear memory, its guard, or the guard of the stack.
 * - What generated code calls asks for its stack first (wasm_rt_wasmtrap_reserve_stack), so that a stack overflow is
 *   always met in registered code and never half-way through the C library.
 */
#ifndef WASM_RT_WASMTRAP_H
#define WASM_RT_WASMTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "wasm-rt.h"
#include "wasmtrap.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Raised where the system has no memory left for a linear memory, a table or a type. The payload is the size in bytes
 * that was asked for. */
#define WASM_RT_WASMTRAP_CODE_NO_MEMORY (WASMTRAP_CODE_USER + 0xfffu)

/* A function of a module's code section, by ascending offset. */
typedef struct wasm_rt_wasmtrap_symbol_t {
  uint32_t offset;
  uint32_t size;
  /* The function's name in the module, else the name that it is exported by, else func[INDEX]; NULL for what wasm2c
   * added. */
  const char *name;
} wasm_rt_wasmtrap_symbol_t;

/* An exported function without parameters and results. */
typedef struct wasm_rt_wasmtrap_entry_t {
  const char *name;
  /* Takes a pointer to the module's instance. */
  wasmtrap_function_t function;
} wasm_rt_wasmtrap_entry_t;

/* What describe_module.py makes. Code ranges have it as their user pointer. */
typedef struct wasm_rt_wasmtrap_module_t {
  const char *name;
  const char *code_start;
  const char *code_stop;
  const wasm_rt_wasmtrap_symbol_t *symbols;
  size_t symbol_count;
  const wasm_rt_wasmtrap_entry_t *entries;
  size_t entry_count;
} wasm_rt_wasmtrap_module_t;

/* Registers the module's code. `module` stays in use until wasmtrap_code_unregister(*id). */
wasmtrap_status_t wasm_rt_wasmtrap_module_register(const wasm_rt_wasmtrap_module_t *module, uint64_t *id);

/* The entry of that name, or NULL. */
wasmtrap_function_t wasm_rt_wasmtrap_module_entry(const wasm_rt_wasmtrap_module_t *module, const char *name);

/* The function that has this offset of the module's code in it, or NULL. */
const wasm_rt_wasmtrap_symbol_t *wasm_rt_wasmtrap_module_symbol(const wasm_rt_wasmtrap_module_t *module, size_t offset);

/* wasmtrap_call for WebAssembly: an exception that `function` does not catch is a trap, with the code
 * WASMTRAP_CODE_UNCAUGHT_EXCEPTION, and never passes through to a handler outside. The regions of trap records have the
 * wasm_rt_memory_t as their user pointer. */
wasmtrap_status_t wasm_rt_wasmtrap_call(wasmtrap_function_t function, void *argument, wasmtrap_trap_t *trap);

/* For host functions that WebAssembly imports: goes on if `bytes` more of stack are there, and traps with
 * WASMTRAP_CODE_STACK_OVERFLOW if not. */
void wasm_rt_wasmtrap_reserve_stack(size_t bytes);

/* What generated code raises; see wasm_rt_wasmtrap_module.h. */
wasmtrap_code_t wasm_rt_wasmtrap_code_of(wasm_rt_trap_t trap, const char *function);
wasmtrap_code_t wasm_rt_wasmtrap_bad_call(const wasm_rt_funcref_table_t *table, uint32_t index);

#ifdef __cplusplus
}
#endif

#endif
