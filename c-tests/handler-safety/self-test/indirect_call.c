/* Calls whatever it is given.
 *
 * expect: indirect
 */
#include "rust_names.h"

int handle(int (*given)(int), int value) ENTRY;
int handle(int (*given)(int), int value)
{
    return given(value) + 1;
}
