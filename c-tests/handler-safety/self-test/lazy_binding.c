/* Leaves the finding of functions to their first call.
 *
 * only: elf
 * expect: lazy-binding
 * cflags: -Wl,-z,lazy
 */
#include "rust_names.h"

int handle(int value) ENTRY;
int handle(int value)
{
    return value + 1;
}
