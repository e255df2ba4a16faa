/* Goes to whatever it is given, by a jump in place of a call.
 *
 * expect: indirect
 */
#include "rust_names.h"

int handle(int value, int (*given)(int)) ENTRY;
int handle(int value, int (*given)(int))
{
    return given(value);
}
