/* Allocates, two calls down.
 *
 * expect: external malloc
 */
#include <stdlib.h>
#include "rust_names.h"

void *helper(size_t size) OWN_HELPER;
NOINLINE void *helper(size_t size)
{
    char *block = malloc(size);
    if (block)
        block[0] = 1;
    return block;
}

void *handle(size_t size) ENTRY;
void *handle(size_t size)
{
    return (char *)helper(size) + 1;
}
