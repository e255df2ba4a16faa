/* Has an instruction that can only fault.
 *
 * expect: stop
 */
#include "rust_names.h"

int handle(const int *numbers, unsigned index) ENTRY;
int handle(const int *numbers, unsigned index)
{
    if (index > 7)
        __builtin_trap();
    return numbers[index];
}
