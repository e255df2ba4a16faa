/* Code ranges and regions are half-open: the first byte belongs to them, the last one does, the next one does not. */
#include <string.h>

#include "host.h"

/* unreachable, three times in a row in a buffer of their own. */
enum { COPIES = 3 };

static void code_ranges(void) {
  unsigned char *const buffer = wasm_code_buffer(page_size());
  wasm_code_t code[COPIES];
  for (size_t i = 0; i < COPIES; i++) code[i] = wasm_copy(&wasm_unreachable, buffer, i * WASM_UNREACHABLE_SIZE);
  const size_t size = WASM_UNREACHABLE_SIZE;

  uint64_t ids[COPIES];
  for (size_t i = 0; i < COPIES; i++) {
    code[i].length = size;
    ids[i] = host_register_code(&code[i]);
  }
  for (size_t i = 0; i < COPIES; i++) {
    wasmtrap_trap_t trap;
    trapped_with(host_call(&code[i], NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "adjacent ranges trap");
    same(trap.code_id, ids[i], "each as itself");
    same(trap.code_offset, 0, "at its first byte");
  }

  wasmtrap_code_info_t info = {0};
  info.struct_size = sizeof info;
  must(wasmtrap_code_unregister(ids[0]) == WASMTRAP_OK && wasmtrap_code_unregister(ids[2]) == WASMTRAP_OK);
  same(wasmtrap_code_lookup(buffer + size - 1, &info), WASMTRAP_ERR_NOT_FOUND, "the byte before is not in it");
  same(wasmtrap_code_lookup(buffer + size, &info), WASMTRAP_OK, "the first byte is");
  same(info.offset, 0, "at offset 0");
  same(wasmtrap_code_lookup(buffer + 2 * size - 1, &info), WASMTRAP_OK, "the last byte is");
  same(info.offset, size - 1, "at the last offset");
  same(wasmtrap_code_lookup(buffer + 2 * size, &info), WASMTRAP_ERR_NOT_FOUND, "the byte behind is not");
  must(wasmtrap_code_unregister(ids[1]) == WASMTRAP_OK);

  /* One range whose last instruction faults. */
  wasm_code_t both = code[0];
  both.length = 2 * size;
  host_register_code(&both);
  wasmtrap_trap_t trap;
  trapped_with(host_call(&code[1], NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "the last instruction of a range");
  same(trap.code_offset, size, "at its offset");
}

static void regions(void) {
  host_register_code(&wasm_load);
  linear_memory_t memory = linear_memory_new(0);
  unsigned char *const middle = memory.base + page_size();
  const uint64_t before = host_register_region(memory.base, page_size(), WASMTRAP_CODE_NONE);
  const uint64_t id = host_register_region(middle, page_size(), WASMTRAP_CODE_INTERRUPT);

  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, middle, &trap), &trap, WASMTRAP_CODE_INTERRUPT, "first byte of a region");
  same(trap.region_offset, 0, "offset");
  trapped_with(host_load(&wasm_load, middle + page_size() - 8, &trap), &trap, WASMTRAP_CODE_INTERRUPT,
               "last bytes of a region");
  same(trap.region_offset, page_size() - 8, "offset");
  same(trap.region_id, id, "id");
  trapped_with(host_load(&wasm_load, middle - 8, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "the region before it");
  same(trap.region_id, before, "id");
  trapped_with(host_load(&wasm_load, middle + page_size(), &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "behind it");
  same(trap.flags & WASMTRAP_HAS_REGION, 0, "is in none");
}

int main(void) {
  host_init();
  code_ranges();
  regions();
  return tap_done();
}
