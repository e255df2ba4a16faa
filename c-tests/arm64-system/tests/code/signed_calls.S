/* WebAssembly compiled with signed return addresses (pac-ret): wasm_call_import, as wasm_code_aarch64.S has it, but
 * what it saves is the signed return address of its own caller. */
#include "wasm_code_macros.h"

BEGIN(wasm_call_import_signed)
    paciasp
    stp x29, x30, [sp, #-16]!
    mov x29, sp
    ldp x1, x0, [x0]
    blr x1
FAULT(wasm_call_import_signed)
    ldp x29, x30, [sp], #16
    autiasp
    ret
END(wasm_call_import_signed)

    .section .note.GNU-stack, "", %progbits
