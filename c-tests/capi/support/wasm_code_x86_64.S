/* The code of wasm_code.h for x86-64. Empty elsewhere. */
#include "wasm_code_macros.h"
#if defined(__x86_64__)

/* The register of a function's first argument. */
#if defined(_WIN32)
#define ARGUMENT %rcx
/* The words above its return address that a function may use as it likes. */
#define ROOM_FOR_CALLEES 32
/* Words below the stack pointer that nobody else writes to. */
#define RED_ZONE_SLOTS 0
#else
#define ARGUMENT %rdi
#define ROOM_FOR_CALLEES 0
#define RED_ZONE_SLOTS 16
#endif

/* How functions begin, in front of all other instructions. */
/* clang-format off */
#define FRAME                                        \
    SAVED NEXT                                       \
    mov %rsp, %rbp NEXT                              \
    UNWIND_FRAME_IN(%rbp) NEXT                       \
    UNWIND_PROLOGUE_ENDS
#define SAVED_FRAME_POINTER                          \
    SAVED NEXT                                       \
    UNWIND_PROLOGUE_ENDS
#define SAVED                                        \
    push %rbp NEXT                                   \
    UNWIND_PUSHED(%rbp)
#define NO_FRAME UNWIND_PROLOGUE_ENDS
/* clang-format on */

BEGIN(wasm_load)
    FRAME
    mov (ARGUMENT), %rax
FAULT(wasm_load)
    mov (%rax), %rdx
    mov %rdx, 8(ARGUMENT)
    pop %rbp
    ret
END(wasm_load)

BEGIN(wasm_load_with_frame_pointer)
    SAVED_FRAME_POINTER
    mov (ARGUMENT), %rax
    mov 8(ARGUMENT), %rbp
FAULT(wasm_load_with_frame_pointer)
    mov (%rax), %rdx
    pop %rbp
    ret
END(wasm_load_with_frame_pointer)

BEGIN(wasm_store)
    FRAME
    mov (ARGUMENT), %rax
    mov 8(ARGUMENT), %rdx
FAULT(wasm_store)
    mov %rdx, (%rax)
    pop %rbp
    ret
END(wasm_store)

/* Alignment checks are on while the AC flag is set. */
BEGIN(wasm_load_aligned)
    FRAME
    mov (ARGUMENT), %rax
    pushf
    orl $0x40000, (%rsp)
    popf
FAULT(wasm_load_aligned)
    mov (%rax), %rdx
    pushf
    andl $~0x40000, (%rsp)
    popf
    mov %rdx, 8(ARGUMENT)
    pop %rbp
    ret
END(wasm_load_aligned)

BEGIN(wasm_load_in_leaf)
    NO_FRAME
    mov (ARGUMENT), %rax
    mov $0x5a5a5a5a5a5a5a5a, %r8
    .set slot, 8
    .rept RED_ZONE_SLOTS
    mov %r8, -slot(%rsp)
    .set slot, slot + 8
    .endr
FAULT(wasm_load_in_leaf)
    mov (%rax), %rdx
    .set slot, 8
    .rept RED_ZONE_SLOTS
    cmp %r8, -slot(%rsp)
    jne 1f
    .set slot, slot + 8
    .endr
    movq $0x600d, 8(ARGUMENT)
1:  ret
END(wasm_load_in_leaf)

BEGIN(wasm_unreachable)
    NO_FRAME
FAULT(wasm_unreachable)
    ud2
    ret
END(wasm_unreachable)

BEGIN(wasm_breakpoint)
    NO_FRAME
FAULT(wasm_breakpoint)
    int3
    ret
END(wasm_breakpoint)

BEGIN(wasm_divide)
    FRAME
    mov (ARGUMENT), %eax
    mov 8(ARGUMENT), %r8d
    cltd
FAULT(wasm_divide)
    idiv %r8d
    mov %rax, 8(ARGUMENT)
    pop %rbp
    ret
END(wasm_divide)

BEGIN(wasm_divide_floats)
    FRAME
    push $0x1d80
    ldmxcsr (%rsp)
    mov $1, %eax
    cvtsi2sd %eax, %xmm0
    xorpd %xmm1, %xmm1
FAULT(wasm_divide_floats)
    divsd %xmm1, %xmm0
    leave
    ret
END(wasm_divide_floats)

BEGIN(wasm_load_by_rbp)
    SAVED_FRAME_POINTER
    mov (ARGUMENT), %rbp
FAULT(wasm_load_by_rbp)
    mov (%rbp), %rdx
    pop %rbp
    ret
END(wasm_load_by_rbp)

BEGIN(wasm_jump)
    FRAME
    mov (ARGUMENT), %rax
FAULT(wasm_jump)
    jmp *%rax
END(wasm_jump)

BEGIN(wasm_spin)
    FRAME
    movq $1, (ARGUMENT)
FAULT(wasm_spin)
1:  cmpq $0, 8(ARGUMENT)
    je 1b
    pop %rbp
    ret
END(wasm_spin)

BEGIN(wasm_recurse)
    FRAME
    incq 8(ARGUMENT)
FAULT(wasm_recurse)
    call wasm_recurse_start
    pop %rbp
    ret
END(wasm_recurse)

BEGIN(wasm_recurse_big)
    FRAME
    incq 8(ARGUMENT)
    lea -65536(%rsp), %r8
1:  sub $4096, %rsp
FAULT(wasm_recurse_big)
    movq $0, (%rsp)
    cmp %r8, %rsp
    jne 1b
    call wasm_recurse_big_start
    leave
    ret
END(wasm_recurse_big)

BEGIN(wasm_call_import)
    FRAME
    mov ARGUMENT, %rax
    mov 8(%rax), ARGUMENT
    sub $ROOM_FOR_CALLEES, %rsp
    call *(%rax)
FAULT(wasm_call_import)
    leave
    ret
END(wasm_call_import)

BEGIN(wasm_disturb_and_load)
    NO_FRAME
    mov (ARGUMENT), %rax
    .rept 8
    fld1
    .endr
    pushf
    orl $0x40400, (%rsp)
    popf
FAULT(wasm_disturb_and_load)
    mov (%rax), %rax
    ud2
END(wasm_disturb_and_load)

BEGIN(wasm_clobber_and_load)
    NO_FRAME
    mov (ARGUMENT), %rax
    sub $8, %rsp
    movl $0x7f80, (%rsp)
    ldmxcsr (%rsp)
    movw $0x0f7f, (%rsp)
    fldcw (%rsp)
    .rept 8
    fld1
    .endr
    std
    mov $0x1122334400000001, %rdx
    mov $0x1122334400000002, %rcx
    mov $0x1122334400000003, %rbx
    mov $0x1122334400000004, %rsi
    mov $0x1122334400000005, %rdi
    mov $0x1122334400000006, %rbp
    mov $0x1122334400000008, %r8
    mov $0x1122334400000009, %r9
    mov $0x112233440000000a, %r10
    mov $0x112233440000000b, %r11
    mov $0x112233440000000c, %r12
    mov $0x112233440000000d, %r13
    mov $0x112233440000000e, %r14
    mov $0x112233440000000f, %r15
FAULT(wasm_clobber_and_load)
    mov (%rax), %rax
    ud2
END(wasm_clobber_and_load)
#endif
    NO_EXECUTABLE_STACK
