/* An exported function can reach a panic, through a pointer. The handler cannot.
 *
 * expect: panic wasmtrap_exported can reach core::panicking::panic
 * check: --forbid-panics
 */
#include "rust_names.h"

static int panic(int value) PANIC;
static NOINLINE int panic(int value)
{
    return value / 3;
}

EXPORTED int wasmtrap_exported(int (**out)(int))
{
    *out = panic;
    return 0;
}

int handle(int value) ENTRY;
int handle(int value)
{
    return value + 1;
}
