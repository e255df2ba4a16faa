/* The assembly of machine_state.c for arm64. Empty elsewhere. */
#if defined(__aarch64__)

#if defined(__APPLE__)
#define NAME(name) _##name
#else
#define NAME(name) name
#endif

    .set general, 0
    .set control, 256
    .set vector, 416

    .text

.macro note_state to
    stp x2, x3, [\to, general]
    stp x4, x5, [\to, general+16]
    stp x6, x7, [\to, general+32]
    stp x8, x9, [\to, general+48]
    stp x10, x11, [\to, general+64]
    stp x12, x13, [\to, general+80]
    stp x14, x15, [\to, general+96]
    stp x16, x17, [\to, general+112]
    stp x21, x22, [\to, general+128]
    stp x23, x24, [\to, general+144]
    stp x25, x26, [\to, general+160]
    stp x27, x28, [\to, general+176]
    stp x29, x30, [\to, general+192]
    mrs x2, fpcr
    mrs x3, fpsr
    stp x2, x3, [\to, control]
    mrs x2, nzcv
    str x2, [\to, control+16]
    ldp x2, x3, [\to, general]
    add x1, \to, vector
    .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    str q\number, [x1], 32
    .endr
    .irp number, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    str q\number, [x1], 32
    .endr
.endm

    .globl NAME(machine_state_load)
    .p2align 4
NAME(machine_state_load):
    stp x29, x30, [sp, -176]!
    stp x19, x20, [sp, 16]
    stp x21, x22, [sp, 32]
    stp x23, x24, [sp, 48]
    stp x25, x26, [sp, 64]
    stp x27, x28, [sp, 80]
    stp d8, d9, [sp, 96]
    stp d10, d11, [sp, 112]
    stp d12, d13, [sp, 128]
    stp d14, d15, [sp, 144]
    mrs x9, fpcr
    str x9, [sp, 160]
    mov x19, x1
    mov x20, x2

    .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movi v\number\().16b, 16+\number
    .endr
    .irp number, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    movi v\number\().16b, 16+\number
    .endr
    /* Round toward zero, flush to zero; cumulative: invalid. */
    mov x9, 0x1c00000
    msr fpcr, x9
    mov x9, 1
    msr fpsr, x9
    .irp number, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
    mov x\number, 0x1100 + \number
    .endr
    .irp number, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    mov x\number, 0x1100 + \number
    .endr
    mov x9, 0
    cmp x9, 1
    note_state x19
    ldr x1, [x0]
    note_state x20

    ldr x9, [sp, 160]
    msr fpcr, x9
    ldp x19, x20, [sp, 16]
    ldp x21, x22, [sp, 32]
    ldp x23, x24, [sp, 48]
    ldp x25, x26, [sp, 64]
    ldp x27, x28, [sp, 80]
    ldp d8, d9, [sp, 96]
    ldp d10, d11, [sp, 112]
    ldp d12, d13, [sp, 128]
    ldp d14, d15, [sp, 144]
    ldp x29, x30, [sp], 176
    ret

    .globl NAME(machine_state_spoil)
    .p2align 4
NAME(machine_state_spoil):
    stp d8, d9, [sp, -64]!
    stp d10, d11, [sp, 16]
    stp d12, d13, [sp, 32]
    stp d14, d15, [sp, 48]
    .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movi v\number\().16b, 255
    .endr
    .irp number, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    movi v\number\().16b, 255
    .endr
    msr fpcr, xzr
    msr fpsr, xzr
    .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
    mov x\number, 0
    .endr
    ldp d10, d11, [sp, 16]
    ldp d12, d13, [sp, 32]
    ldp d14, d15, [sp, 48]
    ldp d8, d9, [sp], 64
    ret
#endif
#if defined(__ELF__)
    .section .note.GNU-stack, "", %progbits
#endif
