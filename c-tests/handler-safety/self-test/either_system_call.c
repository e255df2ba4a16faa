/* Makes the allowed system call on one way, and another one on the other: at the instruction itself it may be both.
 *
 * only: elf
 * expect: system-call number is not known
 */
#include "rust_names.h"

long handle(long way) ENTRY;
#if defined(__x86_64__)
__asm__(".pushsection .text\n"
        ".globl _ZN8wasmtrap6inside7signals5entry6handle17h0123456789abcdefE\n"
        ".type _ZN8wasmtrap6inside7signals5entry6handle17h0123456789abcdefE, @function\n"
        "_ZN8wasmtrap6inside7signals5entry6handle17h0123456789abcdefE:\n"
        "    mov $39, %eax\n"
        "    test %rdi, %rdi\n"
        "    je 1f\n"
        "    mov $110, %eax\n"
        "1:  syscall\n"
        "    ret\n"
        ".size _ZN8wasmtrap6inside7signals5entry6handle17h0123456789abcdefE,"
        " . - _ZN8wasmtrap6inside7signals5entry6handle17h0123456789abcdefE\n"
        ".popsection");
#else
__asm__(".pushsection .text\n"
        ".globl _ZN8wasmtrap6inside7signals5entry6handle17h0123456789abcdefE\n"
        ".type _ZN8wasmtrap6inside7signals5entry6handle17h0123456789abcdefE, %function\n"
        "_ZN8wasmtrap6inside7signals5entry6handle17h0123456789abcdefE:\n"
        "    mov x8, #172\n"
        "    cbz x0, 1f\n"
        "    mov x8, #173\n"
        "1:  svc #0\n"
        "    ret\n"
        ".size _ZN8wasmtrap6inside7signals5entry6handle17h0123456789abcdefE,"
        " . - _ZN8wasmtrap6inside7signals5entry6handle17h0123456789abcdefE\n"
        ".popsection");
#endif
