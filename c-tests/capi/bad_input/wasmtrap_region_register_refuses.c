/* wasmtrap_region_register with a description that makes no sense, or that overlaps what is there. */
#include <stdio.h>

#include "host.h"
#include "refusal.h"

static wasmtrap_region_desc_t good(const void *base, size_t length) {
  wasmtrap_region_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.base = base;
  desc.length = length;
  return desc;
}

static void refuse(const wasmtrap_region_desc_t *desc, wasmtrap_status_t expected, const char *argument,
                   const char *value, const char *name) {
  uint64_t id;
  fill(&id, sizeof id);
  refused(wasmtrap_region_register(desc, &id), expected, argument, value, name);
  ok(untouched(&id, sizeof id), "... and the id is untouched");
}

static void bad_descriptions(const unsigned char *base) {
  const wasmtrap_status_t invalid = WASMTRAP_ERR_INVALID_ARGUMENT;
  wasmtrap_region_desc_t desc = good(base, 64);
  refused(wasmtrap_region_register(&desc, NULL), invalid, "id", "NULL", "nowhere to put the id");
  refuse(NULL, invalid, "desc", "NULL", "no description");
  static const size_t sizes[] = {0, sizeof desc - 1, sizeof desc + 1, SIZE_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    char value[32];
    snprintf(value, sizeof value, "%zu", sizes[i]);
    desc.struct_size = sizes[i];
    refuse(&desc, WASMTRAP_ERR_STRUCT_SIZE, "desc->struct_size", value, "a wrong struct_size");
  }
  desc = good(NULL, 64);
  refuse(&desc, invalid, "desc->base", "NULL", "no base");
  desc = good(base, 0);
  refuse(&desc, invalid, "desc->length", "0", "a length of 0");
  desc = good(base, SIZE_MAX);
  refuse(&desc, invalid, "desc->length", "0xffffffffffffffff", "a length that wraps");
  desc = good(base, 64);
  desc.flags = WASMTRAP_CODE_STRICT;
  refuse(&desc, invalid, "desc->flags", "0x1", "a flag of code ranges");
  desc.flags = UINT32_MAX;
  refuse(&desc, invalid, "desc->flags", "0xffffffff", "all flags");
}

static void overlaps(const unsigned char *base) {
  wasmtrap_region_desc_t desc = good(base + 64, 64);
  uint64_t id = 0;
  must(wasmtrap_region_register(&desc, &id) == WASMTRAP_OK);
  remember_state();
  char value[32];
  snprintf(value, sizeof value, "%llu", (unsigned long long)id);
  static const struct {
    const char *name;
    size_t start, length;
  } others[] = {
      {"the same region", 64, 64}, {"inside of it", 80, 16},  {"around it", 32, 128}, {"over its start", 32, 64},
      {"over its end", 96, 64},    {"its first byte", 64, 1}, {"its last byte", 127, 1},
  };
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    desc = good(base + others[i].start, others[i].length);
    refuse(&desc, WASMTRAP_ERR_OVERLAP, "region", value, others[i].name);
  }
  desc = good(base, 64);
  same(wasmtrap_region_register(&desc, &id), WASMTRAP_OK, "a region right before it is welcome");
  desc = good(base + 128, 64);
  same(wasmtrap_region_register(&desc, &id), WASMTRAP_OK, "a region right behind it is welcome");
  /* Code and data are different worlds. */
  wasmtrap_code_desc_t code = {0};
  code.struct_size = sizeof code;
  code.start = base;
  code.length = 192;
  same(wasmtrap_code_register(&code, &id), WASMTRAP_OK, "a code range may lie over regions");
}

int main(void) {
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  unsigned char *const page = inaccessible_page();
  remember_state();
  bad_descriptions(page);
  overlaps(page);
  host_register_code(&wasm_load);
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, page + 64, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a trap is a trap");
  same(trap.region_offset, 0, "in the region that was there first");
  return tap_done();
}
