/* The register check of registers.h for arm64. Empty elsewhere. */
#include "object_format.h"
#if defined(__aarch64__)

.macro kept register, number
    movz \register, #\number
    movk \register, #0x7788, lsl #32
    movk \register, #0x5566, lsl #48
.endm

/*
 * call_and_compare_registers(function, argument, trap, after): see registers.h. In `after`: x19 to x28, x29, sp less
 * what it was, d8 to d15, FPCR, then zeros.
 */
    .text
    .globl SYMBOL(call_and_compare_registers)
    IS_FUNCTION(call_and_compare_registers)
SYMBOL(call_and_compare_registers):
    stp x29, x30, [sp, #-176]!
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    stp x3, x9, [sp, #160]
    .irp number, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
    kept x\number, \number
    .endr
    .irp number, 8, 9, 10, 11, 12, 13, 14, 15
    kept x9, \number
    fmov d\number, x9
    .endr
    bl SYMBOL(wasmtrap_call)
    ldp x3, x9, [sp, #160]
    mov x10, sp
    sub x10, x10, x9
    stp x19, x20, [x3, #0]
    stp x21, x22, [x3, #16]
    stp x23, x24, [x3, #32]
    stp x25, x26, [x3, #48]
    stp x27, x28, [x3, #64]
    stp x29, x10, [x3, #80]
    stp d8, d9, [x3, #96]
    stp d10, d11, [x3, #112]
    stp d12, d13, [x3, #128]
    stp d14, d15, [x3, #144]
    mrs x9, fpcr
    str x9, [x3, #160]
    ldp x19, x20, [sp, #16]
    ldp x21, x22, [sp, #32]
    ldp x23, x24, [sp, #48]
    ldp x25, x26, [sp, #64]
    ldp x27, x28, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    ldp x29, x30, [sp], #176
    ret
    ENDS(call_and_compare_registers)
#endif
    NO_EXECUTABLE_STACK
