/* Loads free's address once and calls it again and again, over calls of another function.
 *
 * expect: external free
 * cflags: -fno-plt
 */
#include <stdlib.h>
#include <string.h>
#include "rust_names.h"

void handle(void **blocks, int count) ENTRY;
void handle(void **blocks, int count)
{
    for (int index = 0; index < count; index++) {
        free(blocks[index]);
        free(blocks[index + count]);
        memcpy(blocks + index, blocks + count, sizeof *blocks * (size_t)count);
    }
}
