/* Waits for another thread.
 *
 * expect: spin
 */
#include "rust_names.h"

void handle(volatile int *flag) ENTRY;
void handle(volatile int *flag)
{
    while (*flag)
#if defined(__x86_64__)
        __builtin_ia32_pause();
#else
        __asm__ volatile("isb");
#endif
}
