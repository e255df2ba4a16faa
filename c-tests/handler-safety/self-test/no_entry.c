/* Has nothing to begin at.
 *
 * expect: roots
 */
#include "rust_names.h"

int helper(int value) OWN_HELPER;
int helper(int value)
{
    return value + 1;
}
