/* Is safe, but nobody can tell: its symbols are gone.
 *
 * expect: roots
 * cflags: -s
 */
#include "rust_names.h"

int handle(int value) ENTRY;
int handle(int value)
{
    return value + 1;
}
