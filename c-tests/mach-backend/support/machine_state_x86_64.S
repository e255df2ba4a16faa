/* The assembly of machine_state.c for x86-64. Empty elsewhere. */
#if defined(__x86_64__)

#if defined(__APPLE__)
#define NAME(name) _##name
#else
#define NAME(name) name
#endif

    .set general, 0
    .set control, 256
    .set x87, 288
    .set vector, 416

    .text

/* Notes all in the state at \to, and keeps it. The x87 stack, whose registers have to be popped to be looked at, is
   filled again from what was noted. */
.macro note_state to
    mov %rax, general+0(\to)
    mov %rbx, general+8(\to)
    mov %rcx, general+16(\to)
    mov %rdx, general+24(\to)
    mov %rsi, general+32(\to)
    mov %rdi, general+40(\to)
    mov %rbp, general+48(\to)
    mov %r8, general+56(\to)
    mov %r9, general+64(\to)
    mov %r10, general+72(\to)
    mov %r11, general+80(\to)
    mov %r12, general+88(\to)
    mov %r13, general+96(\to)
    lea -8(%rsp), %rsp
    pushfq
    popq control+24(\to)
    lea 8(%rsp), %rsp
    stmxcsr control+0(\to)
    fnstcw control+8(\to)
    fnstsw control+16(\to)
    .set slot, x87
    .rept 8
    fstpt slot(\to)
    .set slot, slot + 16
    .endr
    .set slot, x87 + 7 * 16
    .rept 8
    fldt slot(\to)
    .set slot, slot - 16
    .endr
    cmpq $0, (%rsp)
    je 1f
    .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vmovups %ymm\number, vector+32*\number(\to)
    .endr
    jmp 2f
1:
    .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups %xmm\number, vector+32*\number(\to)
    .endr
2:
.endm

    .globl NAME(machine_state_load)
    .p2align 4
NAME(machine_state_load):
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    sub $24, %rsp
    stmxcsr 8(%rsp)
    fnstcw 12(%rsp)
    mov %rcx, (%rsp)
    mov %rsi, %r14
    mov %rdx, %r15
    mov %rdi, %rax

    /* Vectors: each of a byte of its own, in both halves. */
    lea patterns(%rip), %rdx
    .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups 16*\number(%rdx), %xmm\number
    .endr
    cmpq $0, (%rsp)
    je 1f
    .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vinsertf128 $1, 16*\number(%rdx), %ymm\number, %ymm\number
    .endr
1:
    /* All eight x87 registers are full; single precision, round up. */
    fninit
    movw $0x087f, 16(%rsp)
    fldcw 16(%rsp)
    fld1
    fldpi
    fldl2e
    fldl2t
    fldlg2
    fldln2
    fldz
    fld1
    /* Round toward zero, flush to zero, all masked. */
    movl $0xff80, 16(%rsp)
    ldmxcsr 16(%rsp)

    mov $0x1122334400000001, %rbx
    mov $0x1122334400000002, %rcx
    mov $0x1122334400000003, %rdx
    mov $0x1122334400000004, %rsi
    mov $0x1122334400000005, %rdi
    mov $0x1122334400000006, %rbp
    mov $0x1122334400000008, %r8
    mov $0x1122334400000009, %r9
    mov $0x112233440000000a, %r10
    mov $0x112233440000000b, %r11
    mov $0x112233440000000c, %r12
    mov $0x112233440000000d, %r13
    /* Carry, overflow and direction. */
    pushq $0xc03
    popfq
    note_state %r14
    pushq $0xc03
    popfq
    mov (%rax), %r10
    mov $0x112233440000000a, %r10
    note_state %r15

    cld
    fninit
    cmpq $0, (%rsp)
    je 1f
    vzeroupper
1:
    ldmxcsr 8(%rsp)
    fldcw 12(%rsp)
    add $24, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .globl NAME(machine_state_spoil)
    .p2align 4
NAME(machine_state_spoil):
    sub $8, %rsp
    fninit
    .rept 8
    fldz
    .endr
    fninit
    movl $0x1f80, (%rsp)
    ldmxcsr (%rsp)
    test %rdi, %rdi
    jz 1f
    vzeroall
1:
    .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    pcmpeqd %xmm\number, %xmm\number
    .endr
    xor %eax, %eax
    xor %ecx, %ecx
    xor %edx, %edx
    xor %esi, %esi
    xor %edi, %edi
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r10d, %r10d
    xor %r11d, %r11d
    add $8, %rsp
    ret

    .p2align 4
patterns:
    .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    .fill 16, 1, 0x10 + \number
    .endr
#endif
#if defined(__ELF__)
    .section .note.GNU-stack, "", %progbits
#endif
