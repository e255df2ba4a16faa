/* Frees by a jump in place of a call.
 *
 * expect: external free
 */
#include <stdlib.h>
#include "rust_names.h"

void handle(void *block) ENTRY;
void handle(void *block)
{
    free(block);
}
