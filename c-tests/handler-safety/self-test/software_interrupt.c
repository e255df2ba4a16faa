/* Leaves the known world by an instruction of which nothing is known.
 *
 * expect: unknown
 */
#include "rust_names.h"

void handle(void) ENTRY;
void handle(void)
{
#if defined(__x86_64__)
    __asm__ volatile("int $0x80" : : : "memory");
#else
    __asm__ volatile("hvc #0" : : : "memory");
#endif
}
