/* A hundred thousand ranges of code and as many regions: each is found, by lookup and by trap, and each can go. */
#include <stdlib.h>
#include <sys/mman.h>

#include "host.h"

enum { RANGES = 100000, SLOT_SIZE = 64, SPAN = 32 };

static unsigned char *buffer;
static unsigned char *memory;
static uint64_t *code_ids, *region_ids;

/* A permutation of the ranges: 7919 is a prime that does not divide their number. */
static size_t nth(size_t i) { return i * 7919 % RANGES; }

static wasmtrap_status_t register_nth(size_t slot, wasmtrap_code_desc_t *code, wasmtrap_region_desc_t *region) {
  code->start = buffer + slot * SLOT_SIZE;
  region->base = memory + slot * SPAN;
  code->user = buffer + slot;
  const wasmtrap_status_t status = wasmtrap_code_register(code, &code_ids[slot]);
  return status != WASMTRAP_OK ? status : wasmtrap_region_register(region, &region_ids[slot]);
}

static int traps(size_t slot) {
  wasm_code_t code = wasm_copy(&wasm_load, buffer, slot * SLOT_SIZE);
  wasmtrap_trap_t trap;
  return host_load(&code, memory + slot * SPAN + 8, &trap) == WASMTRAP_TRAPPED && trap.code_id == code_ids[slot] &&
         trap.code_user == buffer + slot && trap.region_id == region_ids[slot] && trap.region_offset == 8;
}

int main(void) {
  host_init();
  must(wasm_load.length <= SLOT_SIZE);
  buffer = wasm_code_buffer((size_t)RANGES * SLOT_SIZE);
  memory = mmap(NULL, (size_t)RANGES * SPAN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  code_ids = calloc(RANGES, sizeof *code_ids);
  region_ids = calloc(RANGES, sizeof *region_ids);
  must(memory != MAP_FAILED && code_ids != NULL && region_ids != NULL);

  wasmtrap_code_desc_t code = {0};
  code.struct_size = sizeof code;
  code.length = wasm_load.length;
  wasmtrap_region_desc_t region = {0};
  region.struct_size = sizeof region;
  region.length = SPAN;
  size_t good = 0;
  for (size_t i = 0; i < RANGES; i++) good += register_nth(nth(i), &code, &region) == WASMTRAP_OK;
  same(good, RANGES, "they are registered, in no order");

  wasmtrap_code_info_t info = {0};
  info.struct_size = sizeof info;
  good = 0;
  for (size_t slot = 0; slot < RANGES; slot++) {
    good += wasmtrap_code_lookup(buffer + slot * SLOT_SIZE + 1, &info) == WASMTRAP_OK && info.id == code_ids[slot] &&
            info.offset == 1 && info.user == buffer + slot;
  }
  same(good, RANGES, "each is found");
  good = 0;
  for (size_t slot = 0; slot < RANGES; slot += 100) good += traps(slot);
  same(good, RANGES / 100, "a trap in every hundredth finds its own");

  good = 0;
  for (size_t i = 0; i < RANGES; i++) {
    const size_t slot = nth(RANGES - i);
    if (slot % 2 == 0) continue;
    good += wasmtrap_code_unregister(code_ids[slot]) == WASMTRAP_OK &&
            wasmtrap_region_unregister(region_ids[slot]) == WASMTRAP_OK;
  }
  same(good, RANGES / 2, "every other one is unregistered");
  good = 0;
  for (size_t slot = 0; slot < RANGES; slot++) {
    const wasmtrap_status_t expected = slot % 2 == 0 ? WASMTRAP_OK : WASMTRAP_ERR_NOT_FOUND;
    good += wasmtrap_code_lookup(buffer + slot * SLOT_SIZE, &info) == expected;
  }
  same(good, RANGES, "half of them are found");
  good = 0;
  for (size_t slot = 0; slot < RANGES; slot += 100) good += traps(slot);
  same(good, RANGES / 100, "and trap as before");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "shutdown forgets them all");
  host_init();
  good = 0;
  for (size_t i = 0; i < RANGES; i++) good += register_nth(i, &code, &region) == WASMTRAP_OK;
  same(good, RANGES, "and they can be registered again");
  return tap_done();
}
