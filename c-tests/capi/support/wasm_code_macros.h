/*
 * For the assembler: BEGIN(name) ... FAULT(name) ... END(name) makes the wasm_code_t called `name` of the instructions
 * in between. FAULT stands before the instruction that may fault.
 */
#ifndef WASM_CODE_MACROS_H
#define WASM_CODE_MACROS_H

/* clang-format off */
#define BEGIN(name)                                  \
    .text;                                           \
    .balign 16;                                      \
    .type name##_start, %function;                   \
name##_start:

#define FAULT(name)                                  \
name##_fault:

#define END(name)                                    \
name##_end:                                          \
    .size name##_start, . - name##_start;            \
    .section .data.rel.ro, "aw";                     \
    .balign 8;                                       \
    .globl name;                                     \
    .type name, %object;                             \
name:                                                \
    .quad name##_start;                              \
    .quad name##_start;                              \
    .quad name##_end - name##_start;                 \
    .quad name##_fault - name##_start;               \
    .size name, . - name;                            \
    .text;
/* clang-format on */

#endif
