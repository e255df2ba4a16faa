/*
 * For the assembler: BEGIN(name) ... FAULT(name) ... END(name) makes the wasm_code_t called `name` of the instructions
 * in between. FAULT stands before the instruction that may fault.
 */
#ifndef WASM_CODE_MACROS_H
#define WASM_CODE_MACROS_H

#include "object_format.h"

/* clang-format off */
#define BEGIN(name)                                  \
    .text NEXT                                       \
    .balign 16 NEXT                                  \
    IS_FUNCTION(name##_start) NEXT                   \
name##_start: NEXT                                   \
    UNWIND_BEGINS(name##_start)

#define FAULT(name)                                  \
name##_fault:

#define END(name)                                    \
name##_end: NEXT                                     \
    UNWIND_ENDS NEXT                                 \
    ENDS(name##_start) NEXT                          \
    CONSTANTS_WITH_ADDRESSES NEXT                    \
    .balign 8 NEXT                                   \
    .globl SYMBOL(name) NEXT                         \
    IS_OBJECT(name) NEXT                             \
SYMBOL(name): NEXT                                   \
    .quad name##_start NEXT                          \
    .quad name##_start NEXT                          \
    .quad name##_end - name##_start NEXT             \
    .quad name##_fault - name##_start NEXT           \
    ENDS(name) NEXT                                  \
    .text NEXT
/* clang-format on */

#endif
