/* Makes whichever system call it is told to.
 *
 * expect: system-call number is not known
 */
#include "rust_names.h"

long handle(long number) ENTRY;
long handle(long number)
{
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
    return result;
#else
    register long eight __asm__("x8") = number;
    register long first __asm__("x0");
    __asm__ volatile("svc #0" : "=r"(first) : "r"(eight) : "memory");
    return first;
#endif
}
