/* Passes: a switch, memcpy, a thread-local at a fixed offset, a tail call, an allowed system call and indirect call.
 *
 * only: elf
 * expect: safe
 */
#include <string.h>
#include "rust_names.h"

__thread long word __attribute__((tls_model("initial-exec")));

long other(long (*given)(void)) OWN_OTHER;
NOINLINE long other(long (*given)(void))
{
    return given() + 1;
}

long helper(char *to, const char *from, unsigned long size, int way) OWN_HELPER;
NOINLINE long helper(char *to, const char *from, unsigned long size, int way)
{
    switch (way) {
    case 0:
        return to[1];
    case 1:
        to[2] = 7;
        break;
    case 2:
        memcpy(to, from, size);
        memcpy(to + size, from, size);
        break;
    case 3:
        word = way + to[3];
        break;
    case 4:
        return (long)size * 3;
    case 5:
        to[8] = 9;
        break;
    case 6:
        return from[5] - to[2];
    case 7:
        to[1] = from[3];
        break;
    case 8:
        word += size;
        break;
    case 9:
        return to[4] * from[1];
    case 10:
        memcpy(to + 1, from, size + 1);
        break;
    case 11:
        to[size] = 0;
        return (long)size;
    default:
        return 77;
    }
    return word;
}

long handle(char *to, const char *from, unsigned long size, int way, long (*given)(void)) ENTRY;
long handle(char *to, const char *from, unsigned long size, int way, long (*given)(void))
{
    long result;
#if defined(__x86_64__)
    __asm__ volatile("mov $39, %%eax\n\tsyscall" : "=a"(result) : : "rcx", "r11", "memory");
#else
    register long number __asm__("x8") = 172;
    register long first __asm__("x0");
    __asm__ volatile("svc #0" : "=r"(first) : "r"(number) : "memory");
    result = first;
#endif
    if (result == way && given)
        return other(given);
    return helper(to, from, size, way);
}
