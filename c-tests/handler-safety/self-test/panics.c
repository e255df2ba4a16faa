/* Can panic.
 *
 * expect: function core::panicking::panic
 */
#include "rust_names.h"

void panic(const char *message) PANIC;
NOINLINE void panic(const char *message)
{
    *(volatile char *)message = 0;
}

int handle(const int *numbers, unsigned index) ENTRY;
int handle(const int *numbers, unsigned index)
{
    if (index > 7)
        panic("index out of bounds");
    return numbers[index];
}
