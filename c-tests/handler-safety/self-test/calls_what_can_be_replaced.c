/* Calls a function of its own that a program may replace by one of the same name.
 *
 * only: elf
 * expect: external wasmtrap_exported
 */
#include "rust_names.h"

EXPORTED int wasmtrap_exported(int value)
{
    return value + 1;
}

int handle(int value) ENTRY;
int handle(int value)
{
    return wasmtrap_exported(value) + 1;
}
