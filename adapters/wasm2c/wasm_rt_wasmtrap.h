/*
 * The runtime of wasm2c's output (wasm-rt.h of wabt 1.0.31 and later) on libwasmtrap: the host's side.
 *
 * A module is translated by translate.py, compiled with wasm_rt_wasmtrap_module.h in front, put into a code section of
 * its own, and described by describe_module.py as `wasm_module_NAME`. It is linked into the host or loaded by dlopen;
 * this runtime is there once in a process. A host then does this:
 *
 *     wasmtrap_init(NULL);
 *     wasm_rt_init();
 *     wasm_rt_wasmtrap_module_register(&wasm_module_NAME, &id);    undone by wasmtrap_code_unregister(id)
 *     wasm_rt_wasmtrap_call(...)      for each way into the module, wasm2c_NAME_instantiate among them, which can trap
 *
 * Names are those of today's wasm2c (w2c_NAME, w2c_NAME_EXPORT, wasm2c_NAME_instantiate); the headers of an older one
 * have them too, as macros.
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

/*
 * wabt's own hooks, before its header: it installs no signal handler, its traps come here, and nobody counts the depth
 * of calls, as the guard of the stack is met in registered code. Up to 1.0.34 the count has the other name. They matter
 * to modules and to the runtime, which have this header first; a host may have had the other.
 */
#if !defined(WASM_RT_H_)
#define WASM_RT_SKIP_SIGNAL_RECOVERY 1
#define WASM_RT_TRAP_HANDLER wasm_rt_wasmtrap_raise
#define WASM_RT_NONCONFORMING_UNCHECKED_STACK_EXHAUSTION 1
#define WASM_RT_USE_STACK_DEPTH_COUNT 0
#endif
#if defined(WASM_RT_ALLOW_SEGUE) && WASM_RT_ALLOW_SEGUE
#error "a trap does not put the segment register back that WASM_RT_ALLOW_SEGUE uses"
#endif

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wasm-rt.h"
#include "wasmtrap.h"

/*
 * Where wasm-rt.h itself has the exceptions (up to 1.0.32), wabt's runtime is for one thread: all is done here instead.
 * Later ones are used as they are, through their hooks.
 */
#if defined(WASM_RT_UNWIND_TARGET) && !defined(WASM_RT_EXCEPTIONS_H_)
#define WASM_RT_WASMTRAP_WHOLE_RUNTIME 1
#else
#define WASM_RT_WASMTRAP_WHOLE_RUNTIME 0
#include "wasm-rt-exceptions.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised where the system has no memory left for a linear memory, a table or a type. The payload is the size in bytes
 * that was asked for. */
#define WASM_RT_WASMTRAP_CODE_NO_MEMORY (WASMTRAP_CODE_USER + 0xfffu)
/* Raised for a trap of a later wabt that is not known here. */
#define WASM_RT_WASMTRAP_CODE_OTHER (WASMTRAP_CODE_USER + 0xffeu)

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

/* A module and a runtime that were compiled with the headers of different wabts, or one of them with guard pages and
 * the other without, may not be used together. */
#if WASM_RT_WASMTRAP_WHOLE_RUNTIME || WASM_RT_MEMCHECK_GUARD_PAGES
#define WASM_RT_WASMTRAP_GUARD_PAGES 1u
#else
#define WASM_RT_WASMTRAP_GUARD_PAGES 0u
#endif
#define WASM_RT_WASMTRAP_LAYOUT                                                                                  \
  ((uint32_t)(WASM_RT_WASMTRAP_WHOLE_RUNTIME | sizeof(wasm_rt_memory_t) << 1 | sizeof(wasm_rt_funcref_t) << 10 | \
              sizeof(wasm_rt_funcref_table_t) << 20 | WASM_RT_WASMTRAP_GUARD_PAGES << 31))

/* What describe_module.py makes. Code ranges have it as their user pointer. */
typedef struct wasm_rt_wasmtrap_module_t {
  /* WASM_RT_WASMTRAP_LAYOUT. */
  uint32_t layout;
  const char *name;
  const char *code_start;
  const char *code_stop;
  const wasm_rt_wasmtrap_symbol_t *symbols;
  size_t symbol_count;
  const wasm_rt_wasmtrap_entry_t *entries;
  size_t entry_count;
  /* What an older wasm2c wants to have called before the module is instantiated; NULL where there is nothing. */
  void (*init_module)(void);
} wasm_rt_wasmtrap_module_t;

/* Registers the module's code, and calls its init_module. `module` stays in use until wasmtrap_code_unregister(*id).
 * Errors: WASMTRAP_ERR_UNSUPPORTED if the module was compiled with the header of another wabt than this runtime, and
 * those of wasmtrap_code_register. */
wasmtrap_status_t wasm_rt_wasmtrap_module_register(const wasm_rt_wasmtrap_module_t *module, uint64_t *id);

/* The entry of that name, or NULL. */
wasmtrap_function_t wasm_rt_wasmtrap_module_entry(const wasm_rt_wasmtrap_module_t *module, const char *name);

/* The function that has this offset of the module's code in it, or NULL. */
const wasm_rt_wasmtrap_symbol_t *wasm_rt_wasmtrap_module_symbol(const wasm_rt_wasmtrap_module_t *module, size_t offset);

/* wasmtrap_call for WebAssembly: an exception that `function` does not catch is a trap, with the code
 * WASMTRAP_CODE_UNCAUGHT_EXCEPTION, and never passes through to a handler outside. The regions of trap records have the
 * memory (a wasm_rt_memory_t, a wasm_rt_shared_memory_t) as their user pointer. */
wasmtrap_status_t wasm_rt_wasmtrap_call(wasmtrap_function_t function, void *argument, wasmtrap_trap_t *trap);

/* For host functions that WebAssembly imports: goes on if `bytes` more of stack are there, and traps with
 * WASMTRAP_CODE_STACK_OVERFLOW if not. */
void wasm_rt_wasmtrap_reserve_stack(size_t bytes);

/* What generated code raises; see wasm_rt_wasmtrap_module.h. */
wasmtrap_code_t wasm_rt_wasmtrap_code_of(wasm_rt_trap_t trap, const char *name, const char *function);
wasmtrap_code_t wasm_rt_wasmtrap_bad_call(const wasm_rt_funcref_table_t *table, uint32_t index);
void wasm_rt_wasmtrap_raise(wasm_rt_trap_t trap) WASMTRAP_NORETURN;

/*
 * A 32-bit memory with pages of 64 KiB, for hosts that have one of their own: wasm_rt_allocate_memory has had three
 * forms.
 */
#if WASM_RT_WASMTRAP_WHOLE_RUNTIME
#define wasm_rt_wasmtrap_allocate_memory32(memory, pages, max_pages) wasm_rt_allocate_memory(memory, pages, max_pages)
#elif defined(WASM_DEFAULT_PAGE_SIZE)
#define wasm_rt_wasmtrap_allocate_memory32(memory, pages, max_pages) \
  wasm_rt_allocate_memory(memory, pages, max_pages, false, WASM_DEFAULT_PAGE_SIZE)
#else
#define wasm_rt_wasmtrap_allocate_memory32(memory, pages, max_pages) \
  wasm_rt_allocate_memory(memory, pages, max_pages, false)
#endif

#if !WASM_RT_WASMTRAP_WHOLE_RUNTIME
/*
 * wabt's runtime aborts, or goes on with a null pointer, where the system has no memory, and leaves in a freed object
 * what was there. Around each call of it stands what makes a trap of the former, and an empty object of the latter, so
 * that an instance whose making trapped half-way can be freed. Allocations outside of these macros are wabt's own.
 */
void wasm_rt_wasmtrap_begin_allocation(void *object, size_t size, uint64_t units);
void wasm_rt_wasmtrap_end_allocation(void);
void wasm_rt_wasmtrap_throw(void) WASMTRAP_NORETURN;

/*
 * Addresses of 64 bits are compared with the memory's size in today's generated code. Before, that was left out unless
 * all was compiled with SUPPORT_MEMORY64: such a memory without it would let the module reach everything.
 */
#if defined(WASM_DEFAULT_PAGE_SIZE) || defined(SUPPORT_MEMORY64) || defined(__cplusplus)
#define WASM_RT_WASMTRAP_CHECK_IS64(is64) ((void)0)
#else
#define WASM_RT_WASMTRAP_CHECK_IS64(is64)                                                                      \
  __extension__({                                                                                              \
    _Static_assert(!(is64), "a 64-bit memory: compile modules and runtime with -DSUPPORT_MEMORY64=1 for this wabt"); \
  })
#endif
#define WASM_RT_WASMTRAP_THIRD(first, second, third, ...) (third)

#define WASM_RT_WASMTRAP_FIRST(first, ...) (first)
#define WASM_RT_WASMTRAP_ALLOCATE(allocate, object, ...)                                                            \
  (wasm_rt_wasmtrap_begin_allocation((object), sizeof *(object), WASM_RT_WASMTRAP_FIRST(__VA_ARGS__, 0)),           \
   allocate((object), __VA_ARGS__), wasm_rt_wasmtrap_end_allocation())
#define WASM_RT_WASMTRAP_FREE(release, object) (release(object), (void)memset((void *)(object), 0, sizeof *(object)))

#define WASM_RT_WASMTRAP_ALLOCATE_MEMORY(allocate, memory, ...)                  \
  (WASM_RT_WASMTRAP_CHECK_IS64(WASM_RT_WASMTRAP_THIRD(__VA_ARGS__, 0, 0, 0)), \
   WASM_RT_WASMTRAP_ALLOCATE(allocate, memory, __VA_ARGS__))
#define wasm_rt_allocate_memory(memory, ...) \
  WASM_RT_WASMTRAP_ALLOCATE_MEMORY(wasm_rt_allocate_memory, memory, __VA_ARGS__)
#define wasm_rt_allocate_memory_shared(memory, ...) \
  WASM_RT_WASMTRAP_ALLOCATE_MEMORY(wasm_rt_allocate_memory_shared, memory, __VA_ARGS__)
#define wasm_rt_allocate_funcref_table(table, ...) \
  WASM_RT_WASMTRAP_ALLOCATE(wasm_rt_allocate_funcref_table, table, __VA_ARGS__)
#define wasm_rt_allocate_externref_table(table, ...) \
  WASM_RT_WASMTRAP_ALLOCATE(wasm_rt_allocate_externref_table, table, __VA_ARGS__)
#define wasm_rt_allocate_exnref_table(table, ...) \
  WASM_RT_WASMTRAP_ALLOCATE(wasm_rt_allocate_exnref_table, table, __VA_ARGS__)
#define wasm_rt_free_memory(memory) WASM_RT_WASMTRAP_FREE(wasm_rt_free_memory, memory)
#define wasm_rt_free_memory_shared(memory) WASM_RT_WASMTRAP_FREE(wasm_rt_free_memory_shared, memory)
#define wasm_rt_free_funcref_table(table) WASM_RT_WASMTRAP_FREE(wasm_rt_free_funcref_table, table)
#define wasm_rt_free_externref_table(table) WASM_RT_WASMTRAP_FREE(wasm_rt_free_externref_table, table)
#define wasm_rt_free_exnref_table(table) WASM_RT_WASMTRAP_FREE(wasm_rt_free_exnref_table, table)
#endif

#ifdef __cplusplus
}
#endif

#endif
