/* wasmtrap_describe wants a buffer, if it has a capacity. */
#include "host.h"
#include "refusal.h"

int main(void) {
  for (int initialised = 0; initialised < 2; initialised++) {
    if (initialised) host_init();
    remember_state();
    size_t length;
    fill(&length, sizeof length);
    refused(wasmtrap_describe(NULL, 1, &length), WASMTRAP_ERR_INVALID_ARGUMENT, "buffer", "NULL", "no buffer, room 1");
    refused(wasmtrap_describe(NULL, SIZE_MAX, &length), WASMTRAP_ERR_INVALID_ARGUMENT, "buffer", "NULL",
            "no buffer, all the room there is");
    refused(wasmtrap_describe(NULL, 10, NULL), WASMTRAP_ERR_INVALID_ARGUMENT, "buffer", "NULL", "nothing at all");
    ok(untouched(&length, sizeof length), "the length is untouched");
    same(wasmtrap_describe(NULL, 0, &length), WASMTRAP_OK, "no buffer, no room: the length");
    ok(length > 0 && length < 100000, "is told");
    same(wasmtrap_describe(NULL, 0, NULL), WASMTRAP_OK, "nobody wants to know");
    char byte = 'x';
    same(wasmtrap_describe(&byte, 0, NULL), WASMTRAP_OK, "a buffer of no bytes");
    same(byte, 'x', "is not written");
  }
  return tap_done();
}
