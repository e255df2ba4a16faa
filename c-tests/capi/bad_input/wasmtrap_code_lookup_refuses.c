/* wasmtrap_code_lookup wants a place for its answer, of the right size, and a program counter that is in a range. It
 * may be called in a signal handler, so that it leaves the last sentence as it is. */
#include <string.h>

#include "host.h"
#include "refusal.h"

static void refuse(const void *pc, size_t struct_size, wasmtrap_status_t expected, const char *name) {
  wasmtrap_code_info_t info, before;
  fill(&info, sizeof info);
  info.struct_size = struct_size;
  before = info;
  refused(wasmtrap_code_lookup(pc, &info), expected, NULL, NULL, name);
  ok(memcmp(&info, &before, sizeof info) == 0, "... and the answer is untouched");
  contains(wasmtrap_last_error(), "id 99", "... and so is the last sentence");
}

int main(void) {
  host_init();
  const uint64_t id = host_register_code_with_site(&wasm_load, WASMTRAP_CODE_NULL_REFERENCE);
  must(wasmtrap_code_unregister(99) == WASMTRAP_ERR_UNKNOWN_ID);
  remember_state();
  const unsigned char *const start = wasm_load.start;
  refused(wasmtrap_code_lookup(start, NULL), WASMTRAP_ERR_INVALID_ARGUMENT, NULL, NULL, "nowhere to put it");
  static const size_t sizes[] = {0, 1, sizeof(wasmtrap_code_info_t) - 1, sizeof(wasmtrap_code_info_t) + 1, SIZE_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    refuse(start, sizes[i], WASMTRAP_ERR_STRUCT_SIZE, "a wrong struct_size");
  }
  const size_t size = sizeof(wasmtrap_code_info_t);
  refuse(start - 1, size, WASMTRAP_ERR_NOT_FOUND, "one byte before the range");
  refuse(start + wasm_load.length, size, WASMTRAP_ERR_NOT_FOUND, "one byte behind it");
  refuse(NULL, size, WASMTRAP_ERR_NOT_FOUND, "NULL");
  refuse((const void *)UINTPTR_MAX, size, WASMTRAP_ERR_NOT_FOUND, "the last address");

  wasmtrap_code_info_t info;
  fill(&info, sizeof info);
  info.struct_size = sizeof info;
  same(wasmtrap_code_lookup(start + wasm_load.fault, &info), WASMTRAP_OK, "a trap site");
  same(info.id, id, "id");
  ok(info.start == start && info.length == wasm_load.length, "range");
  ok(info.user == NULL, "user pointer");
  same(info.offset, wasm_load.fault, "offset");
  same(info.has_site, 1, "it is a site");
  same(info.site_code, WASMTRAP_CODE_NULL_REFERENCE, "its code");
  same(info.struct_size, sizeof info, "struct_size");
  same(wasmtrap_code_lookup(start, &info), WASMTRAP_OK, "no trap site");
  same(info.has_site, 0, "it is none");
  same(info.site_code, WASMTRAP_CODE_NONE, "and has no code");
  return tap_done();
}
