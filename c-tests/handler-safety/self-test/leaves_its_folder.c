/* Calls one of our functions that is for ordinary context only.
 *
 * expect: function wasmtrap::outside::registry::insert
 */
#include "rust_names.h"

int insert(int *table, int value) OUTSIDE;
NOINLINE int insert(int *table, int value)
{
    return table[0] = value;
}

int handle(int *table, int value) ENTRY;
int handle(int *table, int value)
{
    return insert(table, value) + 1;
}
