/* Runs on past its end, into a function for ordinary context. Its assembly has no size.
 *
 * only: elf
 * expect: function wasmtrap::outside::registry::insert
 */
#include "rust_names.h"

__asm__(".pushsection .text\n"
        ".globl _ZN8wasmtrap6inside7signals5entry6handle17h0123456789abcdefE\n"
        "_ZN8wasmtrap6inside7signals5entry6handle17h0123456789abcdefE:\n"
#if defined(__x86_64__)
        "    mov $1, %edi\n"
#else
        "    mov x0, #1\n"
#endif
        ".globl _ZN8wasmtrap7outside8registry6insert17h0123456789abcdefE\n"
        "_ZN8wasmtrap7outside8registry6insert17h0123456789abcdefE:\n"
        "    ret\n"
        ".popsection");
