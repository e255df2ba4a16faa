/* WebAssembly that has all of the vector registers (SVE) in use when it faults: loads `address`, and says in `value`
 * whether the registers are as they were: 1, or 0. */
#include "wasm_code_macros.h"
    .arch armv8-a+sve

BEGIN(wasm_load_with_vectors)
    stp x29, x30, [sp, #-16]!
    mov x29, sp
    stp d8, d9, [sp, #-16]!
    stp d10, d11, [sp, #-16]!
    stp d12, d13, [sp, #-16]!
    stp d14, d15, [sp, #-16]!
    ldr x1, [x0]
    ptrue p0.b
    ptrue p15.b
    .irp number, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    dup z\number\().b, #(\number + 1)
    .endr
FAULT(wasm_load_with_vectors)
    ldr x2, [x1]
    /* p1 gets a bit for each byte that is not as it was. */
    pfalse p2.b
    .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
    cmpne p1.b, p0/z, z\number\().b, #(\number + 1)
    orr p2.b, p0/z, p1.b, p2.b
    .endr
    ptest p0, p2.b
    cset x2, none
    cntp x3, p0, p0.b
    cntp x4, p15, p15.b
    cntb x5
    cmp x3, x5
    ccmp x4, x5, #0, eq
    csel x2, x2, xzr, eq
    str x2, [x0, #8]
    ldp d14, d15, [sp], #16
    ldp d12, d13, [sp], #16
    ldp d10, d11, [sp], #16
    ldp d8, d9, [sp], #16
    ldp x29, x30, [sp], #16
    ret
END(wasm_load_with_vectors)

    .section .note.GNU-stack, "", %progbits
