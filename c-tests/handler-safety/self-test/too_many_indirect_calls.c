/* Calls indirectly where that is allowed, once more than is allowed.
 *
 * expect: indirect, indirect
 */
#include "rust_names.h"

int other(int (*first)(int), int (*second)(int), int value) OWN_OTHER;
NOINLINE int other(int (*first)(int), int (*second)(int), int value)
{
    return first(value) + second(value);
}

int handle(int (*first)(int), int (*second)(int), int value) ENTRY;
int handle(int (*first)(int), int (*second)(int), int value)
{
    return other(first, second, value) + 1;
}
