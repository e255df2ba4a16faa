/* Hands out the address of a function for ordinary context.
 *
 * expect: address wasmtrap::outside::registry::insert
 */
#include "rust_names.h"

static int insert(int *table, int value) OUTSIDE;
static NOINLINE int insert(int *table, int value)
{
    return table[0] = value;
}

void handle(int (**out)(int *, int)) ENTRY;
void handle(int (**out)(int *, int))
{
    *out = insert;
}
