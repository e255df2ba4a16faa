/* Makes a system call that is not on the list (getppid), in a function that may make another one.
 *
 * expect[x86_64]: system-call system call 110
 * expect[aarch64]: system-call system call 173
 */
#include "rust_names.h"

long handle(void) ENTRY;
long handle(void)
{
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(110L) : "rcx", "r11", "memory");
    return result;
#else
    register long number __asm__("x8") = 173;
    register long first __asm__("x0");
    __asm__ volatile("svc #0" : "=r"(first) : "r"(number) : "memory");
    return first;
#endif
}
