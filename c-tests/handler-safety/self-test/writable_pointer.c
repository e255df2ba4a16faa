/* Calls through a variable. What the file says of it is not what it must hold later.
 *
 * expect: indirect
 */
#include "rust_names.h"

static int helper(int value) OWN_HELPER;
static NOINLINE int helper(int value)
{
    return value * 3;
}

int (*chosen)(int) = helper;

int handle(int value) ENTRY;
int handle(int value)
{
    return chosen(value) + helper(value + 1);
}
