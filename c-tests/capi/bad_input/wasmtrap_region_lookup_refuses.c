/* Looking up a region that is not there, or by nonsense, is refused and writes nothing: not even a sentence, because it
 * may be done in a signal handler. The same goes for telling how much of one is accessible. */
#include <string.h>

#include "host.h"
#include "refusal.h"

static char sentence_before[512];

static void remember(void) {
  strncpy(sentence_before, wasmtrap_last_error(), sizeof sentence_before - 1);
  remember_state();
}

static void refuse(const void *address, size_t struct_size, wasmtrap_status_t expected, const char *name) {
  wasmtrap_region_info_t info, before;
  fill(&info, sizeof info);
  info.struct_size = struct_size;
  before = info;
  refused(wasmtrap_region_lookup(address, &info), expected, NULL, NULL, name);
  ok(memcmp(&info, &before, sizeof info) == 0, "... and the answer is untouched");
  same_text(wasmtrap_last_error(), sentence_before, "... and so is the last sentence");
}

int main(void) {
  static unsigned char memory[4 * 4096];
  same(wasmtrap_region_set_accessible(memory, 0), WASMTRAP_ERR_NOT_INITIALIZED, "before wasmtrap_init");
  wasmtrap_region_info_t early = {0};
  early.struct_size = sizeof early;
  same(wasmtrap_region_lookup(memory, &early), WASMTRAP_ERR_NOT_INITIALIZED, "before wasmtrap_init");
  same(wasmtrap_region_unregister_at(memory), WASMTRAP_ERR_NOT_INITIALIZED, "before wasmtrap_init");
  same(wasmtrap_code_unregister_at(memory), WASMTRAP_ERR_NOT_INITIALIZED, "before wasmtrap_init");
  host_init();
  wasmtrap_region_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.base = memory + 4096;
  desc.length = 8192;
  desc.code = WASMTRAP_CODE_USER + 1;
  desc.user = &desc;
  desc.accessible = 8193;
  uint64_t id = 0;
  refused(wasmtrap_region_register(&desc, &id), WASMTRAP_ERR_INVALID_ARGUMENT, "desc->accessible", "8193",
          "more is accessible than there is");
  desc.accessible = 100;
  desc.accessible_code = WASMTRAP_CODE_USER + 2;
  must(wasmtrap_region_register(&desc, &id) == WASMTRAP_OK);
  remember();

  same(wasmtrap_region_lookup(desc.base, NULL), WASMTRAP_ERR_INVALID_ARGUMENT, "nowhere to put it");
  const size_t right = sizeof(wasmtrap_region_info_t), sizes[] = {0, 1, right - 1, right + 1, SIZE_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    refuse(desc.base, sizes[i], WASMTRAP_ERR_STRUCT_SIZE, "a wrong struct_size");
  }
  const size_t size = sizeof(wasmtrap_region_info_t);
  refuse(memory + 4095, size, WASMTRAP_ERR_NOT_FOUND, "one byte before the region");
  refuse(memory + 4096 + 8192, size, WASMTRAP_ERR_NOT_FOUND, "one byte behind it");
  refuse(NULL, size, WASMTRAP_ERR_NOT_FOUND, "NULL");
  refuse((const void *)UINTPTR_MAX, size, WASMTRAP_ERR_NOT_FOUND, "the last address");
  same(wasmtrap_region_set_accessible(desc.base, 8193), WASMTRAP_ERR_INVALID_ARGUMENT, "more than there is");
  same(wasmtrap_region_set_accessible(memory + 4097, 1), WASMTRAP_ERR_NOT_FOUND, "not the region's base");
  same(wasmtrap_region_set_accessible(memory, 1), WASMTRAP_ERR_NOT_FOUND, "no region");
  same_text(wasmtrap_last_error(), sentence_before, "... none of which leaves a sentence");
  refused(wasmtrap_region_unregister_at(memory + 4097), WASMTRAP_ERR_NOT_FOUND, "base", NULL, "not the region's base");
  refused(wasmtrap_region_unregister_at(NULL), WASMTRAP_ERR_NOT_FOUND, "base", "0x0", "NULL");
  refused(wasmtrap_code_unregister_at(desc.base), WASMTRAP_ERR_NOT_FOUND, "start", NULL, "a region is no code");

  wasmtrap_region_info_t info;
  fill(&info, sizeof info);
  info.struct_size = sizeof info;
  same(wasmtrap_region_lookup(memory + 4096 + 7, &info), WASMTRAP_OK, "an address in it");
  ok(info.id == id && info.base == desc.base && info.length == 8192 && info.user == &desc, "the region");
  same(info.offset, 7, "offset");
  ok(info.code == WASMTRAP_CODE_USER + 1 && info.accessible_code == WASMTRAP_CODE_USER + 2, "codes");
  same(info.accessible, 100, "what is accessible of it");
  same(info.client, WASMTRAP_CLIENT_DEFAULT, "whose it is");
  same(info.struct_size, sizeof info, "struct_size");
  same(wasmtrap_region_set_accessible(desc.base, 8192), WASMTRAP_OK, "it grows");
  must(wasmtrap_region_lookup(memory + 4096 + 8191, &info) == WASMTRAP_OK);
  ok(info.accessible == 8192 && info.offset == 8191, "... and all of it is accessible");
  same(wasmtrap_region_unregister_at(desc.base), WASMTRAP_OK, "unregistered by its base");
  same(wasmtrap_region_lookup(desc.base, &info), WASMTRAP_ERR_NOT_FOUND, "... it is gone");
  same(wasmtrap_region_unregister(id), WASMTRAP_ERR_UNKNOWN_ID, "... by its id as well");
  const uint64_t code = host_register_code(&wasm_load);
  same(wasmtrap_code_unregister_at(wasm_load.start), WASMTRAP_OK, "code, by its start");
  same(wasmtrap_code_unregister(code), WASMTRAP_ERR_UNKNOWN_ID, "... is gone");
  return tap_done();
}
