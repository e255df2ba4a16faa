/* Formats text.
 *
 * expect: function core::fmt::write
 */
#include "rust_names.h"

int format(char *out, int value) FORMAT;
NOINLINE int format(char *out, int value)
{
    *out = (char)('0' + value % 10);
    return 1;
}

int handle(char *out, int value) ENTRY;
int handle(char *out, int value)
{
    return format(out, value) + 1;
}
