/* Two functions call each other.
 *
 * expect: recursion
 */
#include "rust_names.h"

long helper(const long *tree, long node) OWN_HELPER;
long handle(const long *tree, long node) ENTRY;

NOINLINE long helper(const long *tree, long node)
{
    return handle(tree, tree[node]) * 31 + 1;
}

NOINLINE long handle(const long *tree, long node)
{
    return node < 2 ? tree[node] : helper(tree, node) * 17 + 1;
}
