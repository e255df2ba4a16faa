/* The register check of registers.h for x86-64. Empty elsewhere. */
#include "object_format.h"
#if defined(__x86_64__)

/*
 * call_and_compare_registers(function, argument, trap, after): see registers.h. In `after`: rbx, rbp, rsp less what it
 * was, r12 to r15, MXCSR, x87 control word, x87 tag word, rflags, then zeros.
 */
    .text
    .globl SYMBOL(call_and_compare_registers)
    IS_FUNCTION(call_and_compare_registers)
SYMBOL(call_and_compare_registers):
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    sub $56, %rsp
    mov %rcx, 40(%rsp)
    mov %rsp, 48(%rsp)
    mov $0x5566778800000000, %rbx
    mov $0x5566778800000001, %rbp
    mov $0x5566778800000003, %r12
    mov $0x5566778800000004, %r13
    mov $0x5566778800000005, %r14
    mov $0x5566778800000006, %r15
    call SYMBOL(wasmtrap_call)
    pushf
    pop %rdx
    cld
    mov 40(%rsp), %rcx
    mov %rbx, 0(%rcx)
    mov %rbp, 8(%rcx)
    mov %rsp, %rsi
    sub 48(%rsp), %rsi
    mov %rsi, 16(%rcx)
    mov %r12, 24(%rcx)
    mov %r13, 32(%rcx)
    mov %r14, 40(%rcx)
    mov %r15, 48(%rcx)
    movq $0, 56(%rcx)
    stmxcsr 56(%rcx)
    movq $0, 64(%rcx)
    fnstcw 64(%rcx)
    mov %rdx, 80(%rcx)
    fnstenv (%rsp)
    movzwl 8(%rsp), %edx
    mov %rdx, 72(%rcx)
    fldenv (%rsp)
    add $56, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    ENDS(call_and_compare_registers)
#endif
    NO_EXECUTABLE_STACK
