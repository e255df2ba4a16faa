/* What the system has no room for is a trap for instantiation, and -1 for growth; nothing is half-made. */
#include <sys/resource.h>

#include "process.h"
#include "wasm_host.h"

static wasm_rt_memory_t memory;
static wasm_rt_funcref_table_t table;

static void allocate_memory(void *argument) {
  wasm_rt_wasmtrap_allocate_memory32(&memory, ((wasm_call_t *)argument)->argument, 65536);
}

static void allocate_table(void *argument) {
  wasm_rt_allocate_funcref_table(&table, ((wasm_call_t *)argument)->argument, UINT32_MAX);
}

/* In a process whose address space is no larger than it is now. */
static void without_address_space(void *unused) {
  (void)unused;
  wasmtrap_trap_t trap;
  const struct rlimit limit = {1 << 30, 1 << 30};
  must(setrlimit(RLIMIT_AS, &limit) == 0);
  trapped_with(wasm_host_call(allocate_memory, NULL, 1, NULL, &trap), &trap, WASM_RT_WASMTRAP_CODE_NO_MEMORY,
               "a memory of one page");
  same(trap.payload, 65536, "the payload is its size");
  ok(memory.data == NULL, "there is no memory");
  wasm_rt_free_memory(&memory);

  trapped_with(wasm_host_call(allocate_table, NULL, UINT32_MAX, NULL, &trap), &trap, WASM_RT_WASMTRAP_CODE_NO_MEMORY,
               "a table of 96 GiB");
  ok(table.data == NULL && table.size == 0, "there is no table");
  must(wasm_host_call(allocate_table, NULL, 3, NULL, &trap) == WASMTRAP_OK);
  same(wasm_rt_grow_funcref_table(&table, UINT32_MAX - 3, wasm_rt_funcref_null_value), UINT32_MAX, "growth to 96 GiB");
  same(table.size, 3, "leaves the table as it is");
  wasm_rt_free_funcref_table(&table);
}

int main(void) {
  wasmtrap_trap_t trap;
  wasm_host_set_up();
  child_passes(without_address_space, NULL, "without address space");

  /* What wasm_rt_memory_t can count: up to 1.0.32, its size has 32 bits. */
  const uint32_t most = sizeof memory.size == sizeof(uint32_t) ? 65535 : 65536;
  if (most < 65536) {
    trapped_with(wasm_host_call(allocate_memory, NULL, 65536, NULL, &trap), &trap, WASM_RT_WASMTRAP_CODE_NO_MEMORY,
                 "a memory of all 65536 pages, one more than wasm_rt_memory_t can count");
  } else {
    same(wasm_host_call(allocate_memory, NULL, 65536, NULL, &trap), WASMTRAP_OK, "a memory of all 65536 pages");
    same(memory.data[memory.size - 1], 0, "has its last byte");
    wasm_rt_free_memory(&memory);
  }
  must(wasm_host_call(allocate_memory, NULL, 0, NULL, &trap) == WASMTRAP_OK);
  ok((uint32_t)wasm_rt_grow_memory(&memory, (uint64_t)most + 1) == UINT32_MAX, "growth to one page too many");
  same(wasm_rt_grow_memory(&memory, most), 0, "growth to all");
  memory.data[memory.size - 1] = 1;
  ok((uint32_t)wasm_rt_grow_memory(&memory, 1) == UINT32_MAX, "and by one more");
  wasm_rt_free_memory(&memory);
  return tap_done();
}
