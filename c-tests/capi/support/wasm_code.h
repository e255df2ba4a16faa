/*
 * Compiled WebAssembly, as a code generator would leave it in memory: small functions in machine code, each with one
 * instruction that may fault, at a known offset. They are position-independent, so that wasm_copy can put them
 * anywhere. The code itself is in wasm_code_<architecture>.S. All of them keep a frame pointer unless they say
 * otherwise.
 */
#ifndef WASM_CODE_H
#define WASM_CODE_H

#include "wasmtrap.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Filled in by the assembler; the order of the fields is known there. */
typedef struct wasm_code_t {
  wasmtrap_function_t function;
  const unsigned char *start;
  size_t length;
  /* Offset of the instruction that may fault. */
  size_t fault;
} wasm_code_t;

/* The argument of most of them. */
typedef struct wasm_access_t {
  uint64_t address;
  uint64_t value;
} wasm_access_t;

/* value = *address, eight bytes. */
extern const wasm_code_t wasm_load;
/* As wasm_load, with `value` in the frame pointer's register, which is not read otherwise. */
extern const wasm_code_t wasm_load_with_frame_pointer;
/* *address = value, eight bytes. */
extern const wasm_code_t wasm_store;
/* A load of an address that is not a multiple of eight by an instruction that insists on it. */
extern const wasm_code_t wasm_load_aligned;
/* As wasm_load, from a leaf function without a frame that has its data in the red zone, where there is one. `value`
 * becomes WASM_RED_ZONE_INTACT if nothing has touched it when the load is over. */
extern const wasm_code_t wasm_load_in_leaf;
#define WASM_RED_ZONE_INTACT 0x600d
#if defined(__x86_64__) && !defined(_WIN32)
#define WASM_RED_ZONE_SIZE 128
#else
#define WASM_RED_ZONE_SIZE 0
#endif

/* ud2 or udf, then an ordinary return. Without a frame; the instruction is the first. */
extern const wasm_code_t wasm_unreachable;
#if defined(__x86_64__)
#define WASM_UNREACHABLE_SIZE 2
#else
#define WASM_UNREACHABLE_SIZE 4
#endif
/* int3 or brk, then an ordinary return. Without a frame; the instruction is the first. */
extern const wasm_code_t wasm_breakpoint;
#if defined(__x86_64__)
#define WASM_BREAKPOINT_SIZE 1
/* Where the processor leaves the program counter: behind int3, on brk. */
#define WASM_BREAKPOINT_REPORTED_BEHIND 1
#else
#define WASM_BREAKPOINT_SIZE 4
#define WASM_BREAKPOINT_REPORTED_BEHIND 0
#endif

#if defined(__x86_64__)
/* value = (int32_t)address / (int32_t)value. On arm64 a division does not fault. */
extern const wasm_code_t wasm_divide;
/* 1.0 / 0.0, with that exception unmasked in MXCSR. */
extern const wasm_code_t wasm_divide_floats;
/* As wasm_load, with the direction flag and the alignment check on and the x87 stack full. Never returns. */
extern const wasm_code_t wasm_disturb_and_load;
/* A load through rbp, for which the processor has the stack segment's fault. Without a frame. */
extern const wasm_code_t wasm_load_by_rbp;
#endif

/* Jumps to `address`. */
extern const wasm_code_t wasm_jump;
/* Sets `address` to 1, then goes round until `value` is not 0. */
extern const wasm_code_t wasm_spin;
/* Calls itself for ever, 16 bytes of stack at a time; `value` counts. The call faults. */
extern const wasm_code_t wasm_recurse;
/* The same with frames of WASM_BIG_FRAME bytes, touched page by page from the top as compilers do. */
extern const wasm_code_t wasm_recurse_big;
#define WASM_BIG_FRAME 65536

/* An imported function of the host, called from WebAssembly. */
typedef struct wasm_import_t {
  wasmtrap_function_t function;
  void *argument;
} wasm_import_t;
/* The argument is a wasm_import_t; `fault` is the return address of the call. */
extern const wasm_code_t wasm_call_import;

/* Leaves nothing as it was: all general-purpose registers but sp become WASM_REGISTER(number in DWARF's tables), the
 * one with the address aside; rounding modes change, the x87 stack is full, the direction flag is set, and on arm64 d8
 * to d15 are overwritten. Then it loads from `address`. Never returns. */
extern const wasm_code_t wasm_clobber_and_load;
#define WASM_REGISTER(number) (UINT64_C(0x1122334400000000) + (uint64_t)(number))
/* The register with the address: rax, x0. */
#define WASM_ADDRESS_REGISTER 0

/* A copy of `code` in executable memory of its own, at `place` bytes from the start of the buffer. */
wasm_code_t wasm_copy(const wasm_code_t *code, unsigned char *buffer, size_t place);
/* Memory for such copies: readable, executable and, for wasm_copy only, writable. */
unsigned char *wasm_code_buffer(size_t size);
/* The same code, in a buffer of its own. */
wasm_code_t wasm_compile(const wasm_code_t *code);

/* The instruction that may fault. */
size_t wasm_fault_pc(const wasm_code_t *code);

#ifdef __cplusplus
}
#endif

#endif
