/* Has an exported function that allocates, though the header calls it signal-safe; and lacks another one.
 *
 * expect: external malloc, roots wasmtrap_is_missing
 * check: --header claims.h
 */
#include <stdlib.h>
#include "rust_names.h"

EXPORTED void *wasmtrap_claims(size_t size)
{
    return malloc(size);
}

EXPORTED void *wasmtrap_does_not(size_t size)
{
    return calloc(size, 2);
}

int handle(int value) ENTRY;
int handle(int value)
{
    return value + 1;
}
