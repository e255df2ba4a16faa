/* Calls itself: its depth has no bound.
 *
 * expect: recursion
 */
#include "rust_names.h"

long handle(const long *tree, long node) ENTRY;
NOINLINE long handle(const long *tree, long node)
{
    if (node < 2)
        return tree[node];
    return handle(tree, tree[node]) * 31 + handle(tree, tree[node + 1]);
}
