/* Hands out the address of malloc.
 *
 * expect: external malloc
 */
#include <stdlib.h>
#include "rust_names.h"

void handle(void *(**out)(size_t)) ENTRY;
void handle(void *(**out)(size_t))
{
    *out = malloc;
}
