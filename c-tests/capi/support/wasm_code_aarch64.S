/* The code of wasm_code.h for arm64. Empty elsewhere. */
#include "wasm_code_macros.h"
#if defined(__aarch64__)

.macro frame
    stp x29, x30, [sp, #-16]!
    mov x29, sp
.endm

.macro return
    ldp x29, x30, [sp], #16
    ret
.endm

.macro pattern register, number
    movz \register, #\number
    movk \register, #0x3344, lsl #32
    movk \register, #0x1122, lsl #48
.endm

BEGIN(wasm_load)
    frame
    ldr x1, [x0]
FAULT(wasm_load)
    ldr x2, [x1]
    str x2, [x0, #8]
    return
END(wasm_load)

BEGIN(wasm_load_with_frame_pointer)
    stp x29, x30, [sp, #-16]!
    ldp x1, x29, [x0]
FAULT(wasm_load_with_frame_pointer)
    ldr x2, [x1]
    return
END(wasm_load_with_frame_pointer)

BEGIN(wasm_store)
    frame
    ldp x1, x2, [x0]
FAULT(wasm_store)
    str x2, [x1]
    return
END(wasm_store)

/* Exclusive accesses must be aligned. */
BEGIN(wasm_load_aligned)
    frame
    ldr x1, [x0]
FAULT(wasm_load_aligned)
    ldaxr x2, [x1]
    clrex
    str x2, [x0, #8]
    return
END(wasm_load_aligned)

BEGIN(wasm_load_in_leaf)
    ldr x1, [x0]
FAULT(wasm_load_in_leaf)
    ldr x2, [x1]
    mov x2, #0x600d
    str x2, [x0, #8]
    ret
END(wasm_load_in_leaf)

BEGIN(wasm_unreachable)
FAULT(wasm_unreachable)
    udf #0
    ret
END(wasm_unreachable)

BEGIN(wasm_breakpoint)
FAULT(wasm_breakpoint)
    brk #0
    ret
END(wasm_breakpoint)

BEGIN(wasm_jump)
    frame
    ldr x1, [x0]
FAULT(wasm_jump)
    br x1
END(wasm_jump)

BEGIN(wasm_spin)
    frame
    mov x1, #1
    str x1, [x0]
FAULT(wasm_spin)
1:  ldr x1, [x0, #8]
    cbz x1, 1b
    return
END(wasm_spin)

/* The fault is at the store of the frame that does not fit, the first instruction of the innermost call. */
BEGIN(wasm_recurse)
FAULT(wasm_recurse)
    frame
    ldr x1, [x0, #8]
    add x1, x1, #1
    str x1, [x0, #8]
    bl wasm_recurse_start
    return
END(wasm_recurse)

BEGIN(wasm_recurse_big)
    frame
    ldr x1, [x0, #8]
    add x1, x1, #1
    str x1, [x0, #8]
    mov x2, #16
1:  sub sp, sp, #4096
FAULT(wasm_recurse_big)
    str xzr, [sp]
    subs x2, x2, #1
    b.ne 1b
    bl wasm_recurse_big_start
    mov sp, x29
    return
END(wasm_recurse_big)

BEGIN(wasm_call_import)
    frame
    ldp x1, x0, [x0]
    blr x1
FAULT(wasm_call_import)
    return
END(wasm_call_import)

BEGIN(wasm_clobber_and_load)
    ldr x0, [x0]
    mov x1, #0x1c00000
    msr fpcr, x1
    .irp number, 8, 9, 10, 11, 12, 13, 14, 15
    fmov d\number, #1.0
    .endr
    .irp number, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    pattern x\number, \number
    .endr
    .irp number, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
    pattern x\number, \number
    .endr
    cmp x0, x0 /* the flags, too */
FAULT(wasm_clobber_and_load)
    ldr x0, [x0]
    udf #0
END(wasm_clobber_and_load)
#endif
    NO_EXECUTABLE_STACK
