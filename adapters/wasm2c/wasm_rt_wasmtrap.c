/*
 * The runtime of modules that trap by libwasmtrap. See wasm_rt_wasmtrap.h for how it is used.
 *
 * What wasm-rt.h declares is wabt's own runtime, with its hooks (wasm_rt_of_wabt.inc), or, for a wabt whose runtime is
 * for one thread, all of it anew (wasm_rt_whole.inc). Here is what is common to both.
 *
 * Allocations that fail raise WASM_RT_WASMTRAP_CODE_NO_MEMORY, and leave the object in a state that its free function
 * takes; growth that fails is the -1 of memory.grow and table.grow.
 */
#include "wasm_rt_wasmtrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const size_t GUARD = 65536;
/* Stack for what this file and the functions it calls need, with room to spare. */
enum { OWN_STACK = 8192 };

/* ---- Start and end ---- */

/* For functions that generated code calls: their faults are traps as its own are, so that the stack may end where they
 * are entered, too. */
#if defined(__APPLE__)
#define CALLED_BY_WASM __attribute__((section("__TEXT,__wasm_rt,regular,pure_instructions"), noinline))
extern const char __start_wasm_rt_code[] __asm__("section$start$__TEXT$__wasm_rt");
extern const char __stop_wasm_rt_code[] __asm__("section$end$__TEXT$__wasm_rt");
#else
#define CALLED_BY_WASM __attribute__((section("wasm_rt_code"), noinline))
#if defined(_WIN32)
#define HIDDEN
#else
#define HIDDEN __attribute__((visibility("hidden")))
#endif
extern const char __start_wasm_rt_code[] HIDDEN;
extern const char __stop_wasm_rt_code[] HIDDEN;
#endif

static const wasm_rt_wasmtrap_module_t own_code = {
    .layout = WASM_RT_WASMTRAP_LAYOUT,
    .name = "wasm-rt",
    .code_start = __start_wasm_rt_code,
    .code_stop = __stop_wasm_rt_code,
};
static uint64_t own_code_id;

static void register_own_code(void) {
  if (own_code_id == 0) wasm_rt_wasmtrap_module_register(&own_code, &own_code_id);
}

static void unregister_own_code(void) {
  if (own_code_id != 0) wasmtrap_code_unregister(own_code_id);
  own_code_id = 0;
}

/* False after wasm_rt_init too, if wasmtrap_init was not called before it; wasmtrap_last_error says so. */
bool wasm_rt_is_initialized(void) { return own_code_id != 0; }

/* ---- Modules ---- */

wasmtrap_status_t wasm_rt_wasmtrap_module_register(const wasm_rt_wasmtrap_module_t *module, uint64_t *id) {
  if (module->layout != WASM_RT_WASMTRAP_LAYOUT) return WASMTRAP_ERR_UNSUPPORTED;
  wasmtrap_code_desc_t desc = {.struct_size = sizeof desc};
  desc.start = module->code_start;
  desc.length = (size_t)(module->code_stop - module->code_start);
  desc.flags = WASMTRAP_CODE_STRICT;
  desc.user = (void *)(uintptr_t)module;
  const wasmtrap_status_t status = wasmtrap_code_register(&desc, id);
  if (status == WASMTRAP_OK && module->init_module != NULL) module->init_module();
  return status;
}

wasmtrap_function_t wasm_rt_wasmtrap_module_entry(const wasm_rt_wasmtrap_module_t *module, const char *name) {
  for (size_t i = 0; i < module->entry_count; i++) {
    if (strcmp(module->entries[i].name, name) == 0) return module->entries[i].function;
  }
  return NULL;
}

const wasm_rt_wasmtrap_symbol_t *wasm_rt_wasmtrap_module_symbol(const wasm_rt_wasmtrap_module_t *module,
                                                                size_t offset) {
  size_t low = 0, high = module->symbol_count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const wasm_rt_wasmtrap_symbol_t *symbol = &module->symbols[middle];
    if (offset < symbol->offset) {
      high = middle;
    } else if (offset >= (size_t)symbol->offset + symbol->size) {
      low = middle + 1;
    } else {
      return symbol;
    }
  }
  return NULL;
}

/* ---- Traps ---- */

CALLED_BY_WASM void wasm_rt_wasmtrap_reserve_stack(size_t bytes) {
  /* From the top down in steps of the smallest page: the guard is met first, however small it is. */
#if defined(_WIN32)
  /* Below the stack pointer, which the system allows, and below this frame, which is smaller than a page. An array
   * would be asked for by a function of the compiler's that touches the stack first, outside of registered code. */
  volatile char *reserve = (volatile char *)__builtin_frame_address(0) - 4096 - bytes;
#else
  char area[bytes + 1];
  volatile char *reserve = area;
#endif
  for (size_t left = bytes; left > 0; left -= left < 4096 ? left : 4096) reserve[left] = 0;
  reserve[0] = 0;
}

CALLED_BY_WASM wasmtrap_code_t wasm_rt_wasmtrap_code_of(wasm_rt_trap_t trap, const char *name, const char *function) {
  wasm_rt_wasmtrap_reserve_stack(OWN_STACK);
  switch (trap) {
    case WASM_RT_TRAP_OOB:
      return strstr(function, "table") != NULL ? WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS
                                               : WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS;
    case WASM_RT_TRAP_INT_OVERFLOW:
      return WASMTRAP_CODE_INTEGER_OVERFLOW;
    case WASM_RT_TRAP_DIV_BY_ZERO:
      return WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO;
    case WASM_RT_TRAP_INVALID_CONVERSION:
      return WASMTRAP_CODE_BAD_CONVERSION_TO_INTEGER;
    case WASM_RT_TRAP_UNREACHABLE:
      return WASMTRAP_CODE_UNREACHABLE;
    case WASM_RT_TRAP_CALL_INDIRECT:
      return WASMTRAP_CODE_UNDEFINED_ELEMENT;
    case WASM_RT_TRAP_UNCAUGHT_EXCEPTION:
      return WASMTRAP_CODE_UNCAUGHT_EXCEPTION;
#if !WASM_RT_MERGED_OOB_AND_EXHAUSTION_TRAPS
    case WASM_RT_TRAP_EXHAUSTION:
      return WASMTRAP_CODE_STACK_OVERFLOW;
#endif
    default:
      break;
  }
  /* Not every wabt has these. */
  if (strcmp(name, "WASM_RT_TRAP_UNALIGNED") == 0) return WASMTRAP_CODE_HEAP_MISALIGNED;
  if (strcmp(name, "WASM_RT_TRAP_NULL_REF") == 0) return WASMTRAP_CODE_NULL_REFERENCE;
  return WASM_RT_WASMTRAP_CODE_OTHER;
}

CALLED_BY_WASM wasmtrap_code_t wasm_rt_wasmtrap_bad_call(const wasm_rt_funcref_table_t *table, uint32_t index) {
  wasm_rt_wasmtrap_reserve_stack(OWN_STACK);
  if (index >= table->size) return WASMTRAP_CODE_UNDEFINED_ELEMENT;
  if (table->data[index].func == NULL) return WASMTRAP_CODE_INDIRECT_CALL_TO_NULL;
  return WASMTRAP_CODE_BAD_SIGNATURE;
}

void wasm_rt_wasmtrap_raise(wasm_rt_trap_t trap) { wasmtrap_raise(wasm_rt_wasmtrap_code_of(trap, "", ""), 0); }

static void raise_no_memory(uint64_t bytes) WASMTRAP_NORETURN;
static void raise_no_memory(uint64_t bytes) { wasmtrap_raise(WASM_RT_WASMTRAP_CODE_NO_MEMORY, bytes); }

/* ---- Calls ---- */

wasmtrap_status_t wasm_rt_wasmtrap_call(wasmtrap_function_t function, void *argument, wasmtrap_trap_t *trap) {
  /* A trap leaves try blocks without passing their ends: what they had set is stale afterwards. */
  WASM_RT_UNWIND_TARGET *outer = wasm_rt_get_unwind_target();
  wasm_rt_set_unwind_target(NULL);
  const wasmtrap_status_t status = wasmtrap_call(function, argument, trap);
  wasm_rt_set_unwind_target(outer);
  return status;
}

/* ---- What wasm-rt.h declares ---- */

#if WASM_RT_WASMTRAP_WHOLE_RUNTIME
#include "wasm_rt_whole.inc"
#else
#include "wasm_rt_of_wabt.inc"
#endif
