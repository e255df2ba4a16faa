/* wasmtrap_code_register with a description that makes no sense, or that overlaps what is there. */
#include <stdio.h>
#include <string.h>

#include "host.h"
#include "refusal.h"

static wasmtrap_code_desc_t good(const void *start, size_t length) {
  wasmtrap_code_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.start = start;
  desc.length = length;
  return desc;
}

static void refuse(const wasmtrap_code_desc_t *desc, wasmtrap_status_t expected, const char *argument,
                   const char *value, const char *name) {
  uint64_t id;
  fill(&id, sizeof id);
  refused(wasmtrap_code_register(desc, &id), expected, argument, value, name);
  ok(untouched(&id, sizeof id), "... and the id is untouched");
}

static const char *decimal(size_t number) {
  static char text[32];
  snprintf(text, sizeof text, "%zu", number);
  return text;
}

static void bad_descriptions(const unsigned char *code) {
  const wasmtrap_status_t invalid = WASMTRAP_ERR_INVALID_ARGUMENT;
  wasmtrap_code_desc_t desc = good(code, 64);
  refused(wasmtrap_code_register(&desc, NULL), invalid, "id", "NULL", "nowhere to put the id");
  refuse(NULL, invalid, "desc", "NULL", "no description");
  refused(wasmtrap_code_register(NULL, NULL), invalid, NULL, "NULL", "neither");

  static const size_t sizes[] = {0, 1, sizeof desc - 1, sizeof desc + 1, SIZE_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    desc.struct_size = sizes[i];
    refuse(&desc, WASMTRAP_ERR_STRUCT_SIZE, "desc->struct_size", decimal(sizes[i]), "a wrong struct_size");
  }
  desc = good(NULL, 64);
  refuse(&desc, invalid, "desc->start", "NULL", "no start");
  desc = good(code, 0);
  refuse(&desc, invalid, "desc->length", "0", "a length of 0");
  desc = good(code, SIZE_MAX);
  refuse(&desc, invalid, "desc->length", "0xffffffffffffffff", "a length that wraps");
  desc = good(code, (size_t)0 - address_of(code) + 1);
  refuse(&desc, invalid, "desc->length", NULL, "a length that wraps by one byte");
  static const uint32_t flags[] = {2, 3, UINT32_C(0x80000000), UINT32_MAX};
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
    desc = good(code, 64);
    desc.flags = flags[i];
    char value[32];
    snprintf(value, sizeof value, "%#x", flags[i]);
    refuse(&desc, invalid, "desc->flags", value, "an unknown flag");
  }
}

static void bad_sites(const unsigned char *code) {
  const wasmtrap_status_t invalid = WASMTRAP_ERR_INVALID_ARGUMENT;
  static const struct {
    const char *name;
    wasmtrap_site_t sites[4];
    const char *argument, *value;
  } tables[] = {
      {"unsorted", {{8, 1}, {4, 1}, {12, 1}, {16, 1}}, "desc->sites[1].offset", "4"},
      {"unsorted at the end", {{4, 1}, {8, 1}, {12, 1}, {11, 1}}, "desc->sites[3].offset", "11"},
      {"twice the same", {{4, 1}, {8, 1}, {8, 2}, {12, 1}}, "desc->sites[2].offset", "8"},
      {"twice offset 0", {{0, 1}, {0, 1}, {8, 2}, {12, 1}}, "desc->sites[1].offset", "0"},
      {"one behind the range", {{4, 1}, {8, 1}, {12, 1}, {64, 1}}, "desc->sites[3].offset", "64"},
      {"far behind the range", {{4, 1}, {8, 1}, {12, 1}, {UINT32_MAX, 1}}, "desc->sites[3].offset", "4294967295"},
      {"all behind the range", {{100, 1}, {101, 1}, {102, 1}, {103, 1}}, "desc->sites[0].offset", "100"},
  };
  wasmtrap_code_desc_t desc = good(code, 64);
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
    desc.sites = tables[i].sites;
    desc.site_count = 4;
    refuse(&desc, invalid, tables[i].argument, tables[i].value, tables[i].name);
  }
  desc.sites = NULL;
  desc.site_count = 1;
  refuse(&desc, invalid, "desc->sites", "NULL", "no sites, but one of them");
  desc.site_count = SIZE_MAX;
  refuse(&desc, invalid, "desc->site_count", decimal(SIZE_MAX), "no sites, but many of them");
  desc.sites = tables[0].sites;
  refuse(&desc, invalid, "desc->site_count", decimal(SIZE_MAX), "more sites than there is memory");
  desc = good(code, ((size_t)1 << 32) + 1);
  static const wasmtrap_site_t last = {UINT32_MAX, 1};
  desc.sites = &last;
  desc.site_count = 1;
  refuse(&desc, invalid, "desc->length", "4294967297", "sites in a range of more than 4 GiB");
}

static void overlaps(unsigned char *code) {
  wasmtrap_code_desc_t desc = good(code + 64, 64);
  uint64_t id = 0;
  must(wasmtrap_code_register(&desc, &id) == WASMTRAP_OK);
  remember_state();
  const struct {
    const char *name;
    size_t start, length;
  } others[] = {
      {"the same range", 64, 64},     {"inside of it", 80, 16},       {"around it", 32, 128},
      {"over its start", 32, 64},     {"over its end", 96, 64},       {"its first byte", 64, 1},
      {"its last byte", 127, 1},      {"up to its first byte", 0, 65}, {"from its last byte", 127, 64},
      {"from its start, longer", 64, 65}, {"to its end, longer", 63, 65}, {"from its start, shorter", 64, 63},
  };
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    desc = good(code + others[i].start, others[i].length);
    refuse(&desc, WASMTRAP_ERR_OVERLAP, decimal(id), NULL, others[i].name);
  }
  char address[32];
  snprintf(address, sizeof address, "0x%llx", (unsigned long long)address_of(code + 64));
  desc = good(code + 64, 1);
  refuse(&desc, WASMTRAP_ERR_OVERLAP, address, NULL, "the sentence tells where");

  uint64_t before = 0, behind = 0;
  desc = good(code, 64);
  same(wasmtrap_code_register(&desc, &before), WASMTRAP_OK, "a range right before it is welcome");
  desc = good(code + 128, 64);
  same(wasmtrap_code_register(&desc, &behind), WASMTRAP_OK, "a range right behind it is welcome");
  remember_state();
  desc = good(code, 192);
  refuse(&desc, WASMTRAP_ERR_OVERLAP, NULL, NULL, "all three");
  wasmtrap_code_info_t info = {0};
  info.struct_size = sizeof info;
  ok(wasmtrap_code_lookup(code + 64, &info) == WASMTRAP_OK && info.id == id && info.length == 64 &&
         info.start == code + 64,
     "the range is what it was");
}

int main(void) {
  host_init();
  unsigned char *const code = wasm_code_buffer(page_size());
  wasm_copy(&wasm_load, code, 0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  remember_state();
  bad_descriptions(code);
  bad_sites(code);
  overlaps(code);
  ok(library_traps(), "a trap is a trap");
  return tap_done();
}
