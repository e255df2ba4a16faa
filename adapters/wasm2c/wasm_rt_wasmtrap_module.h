/*
 * Comes before the C of a module (gcc -include): turns its software traps into wasmtrap_raise.
 *
 * The call stands in the generated code itself, so that the trap record's program counter is there too. wasm2c has one
 * code for several traps of the specification; what it leaves open is told apart by where the trap stands:
 *
 *     wasm2c's code     raised in                                 becomes
 *     OOB               wasm2c's own functions for tables, which  out of bounds table access
 *                       have "table" in their names
 *                       its functions for memories and data       out of bounds memory access
 *     CALL_INDIRECT     where the element is looked at            undefined element, uninitialized element, or indirect
 *                                                                 call type mismatch, by another look at the table
 *
 * For the second, translate.py puts CALL_INDIRECT_TRAP in the place of TRAP(CALL_INDIRECT). Its payload is the index of
 * the element. Codes that not every wabt has are known by their names.
 */
#ifndef WASM_RT_WASMTRAP_MODULE_H
#define WASM_RT_WASMTRAP_MODULE_H

#include "wasm_rt_wasmtrap.h"

#define wasm_rt_trap(trap) wasmtrap_raise(wasm_rt_wasmtrap_code_of((trap), #trap, __func__), 0)

/*
 * Loads and stores of linear memory. C's rules let the compiler move, merge and drop what WebAssembly must have done
 * when it traps (a global that is set before a store, say), so that each access stands between two barriers. Their
 * operand gives the function a frame of its own, which gcc leaves out of small functions in spite of
 * -fno-omit-frame-pointer, and the backtrace would miss the caller.
 */
#define WASM_RT_WASMTRAP_BARRIER() __asm__ __volatile__("" : : "r"(__builtin_frame_address(0)) : "memory")
#undef wasm_rt_memcpy
#define wasm_rt_memcpy(destination, source, size)  \
  __extension__({                                  \
    WASM_RT_WASMTRAP_BARRIER();                    \
    __builtin_memcpy(destination, source, size);   \
    WASM_RT_WASMTRAP_BARRIER();                    \
  })

/* Elsewhere the section gets its name from objcopy. A module is alone in its shared object here. */
#if defined(__APPLE__)
#pragma clang section text = "__TEXT,__wasm,regular,pure_instructions"
#endif

#define CALL_INDIRECT_TRAP(table, index) (wasmtrap_raise(wasm_rt_wasmtrap_bad_call((table), (index)), (index)), 0)

/*
 * What wabt's own runtime does for generated code is done outside of registered code: the stack that it needs is asked
 * for before it is entered.
 */
#if !WASM_RT_WASMTRAP_WHOLE_RUNTIME
enum { WASM_RT_WASMTRAP_STACK_OF_RUNTIME = 16384 };
#define WASM_RT_WASMTRAP_WITH_STACK(call) (wasm_rt_wasmtrap_reserve_stack(WASM_RT_WASMTRAP_STACK_OF_RUNTIME), call)
#define wasm_rt_grow_memory(...) WASM_RT_WASMTRAP_WITH_STACK(wasm_rt_grow_memory(__VA_ARGS__))
#define wasm_rt_grow_memory_shared(...) WASM_RT_WASMTRAP_WITH_STACK(wasm_rt_grow_memory_shared(__VA_ARGS__))
#define wasm_rt_grow_funcref_table(...) WASM_RT_WASMTRAP_WITH_STACK(wasm_rt_grow_funcref_table(__VA_ARGS__))
#define wasm_rt_grow_externref_table(...) WASM_RT_WASMTRAP_WITH_STACK(wasm_rt_grow_externref_table(__VA_ARGS__))
#define wasm_rt_grow_exnref_table(...) WASM_RT_WASMTRAP_WITH_STACK(wasm_rt_grow_exnref_table(__VA_ARGS__))
#define wasm_rt_load_exception(...) WASM_RT_WASMTRAP_WITH_STACK(wasm_rt_load_exception(__VA_ARGS__))
#define wasm_rt_get_unwind_target() WASM_RT_WASMTRAP_WITH_STACK(wasm_rt_get_unwind_target())
#define wasm_rt_set_unwind_target(...) WASM_RT_WASMTRAP_WITH_STACK(wasm_rt_set_unwind_target(__VA_ARGS__))
#define wasm_rt_throw wasm_rt_wasmtrap_throw
#endif

#endif
