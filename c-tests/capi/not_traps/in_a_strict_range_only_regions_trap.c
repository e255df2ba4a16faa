/* In a strict range a memory fault is a trap only if its address is in a registered region: a pointer of the compiler's
 * own that has gone wild is a crash, and stays one. Faults that are not of memory are traps as ever. */
#include <signal.h>
#include <sys/mman.h>

#include "host.h"
#include "process.h"

static uint64_t far_address;
static unsigned char *memory;

static void load_at(uint64_t address) {
  wasm_access_t access = {address, 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_load, &access, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "it trapped");
}

static void strict(void *address) {
  host_init();
  host_register_strict_code(&wasm_load);
  host_register_region(memory, page_size(), WASMTRAP_CODE_NONE);
  load_at(*(const uint64_t *)address);
}

static void strict_with_a_site(void *address) {
  host_init();
  const wasmtrap_site_t site = {(uint32_t)wasm_load.fault, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS};
  host_register_code_with_sites(&wasm_load, &site, 1, WASMTRAP_CODE_STRICT);
  host_register_region(memory, page_size(), WASMTRAP_CODE_NONE);
  load_at(*(const uint64_t *)address);
}

static void lenient(void *address) {
  host_init();
  host_register_code(&wasm_load);
  host_register_region(memory, page_size(), WASMTRAP_CODE_NONE);
  load_at(*(const uint64_t *)address);
}

static void strict_after_the_region_is_gone(void *address) {
  host_init();
  host_register_strict_code(&wasm_load);
  const uint64_t id = host_register_region(memory, page_size(), WASMTRAP_CODE_NONE);
  load_at(address_of(memory));
  must(wasmtrap_region_unregister(id) == WASMTRAP_OK);
  load_at(*(const uint64_t *)address);
}

static void strict_without_memory(void *unused) {
  (void)unused;
  host_init();
  host_register_strict_code(&wasm_unreachable);
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_unreachable, NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "unreachable");
#if defined(__x86_64__)
  host_register_strict_code(&wasm_divide);
  wasm_access_t division = {1, 0};
  trapped_with(host_call(&wasm_divide, &division, &trap), &trap, WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO, "1 / 0");
#endif
}

int main(void) {
  const size_t pc = wasm_fault_pc(&wasm_load);
  unsigned char *const pages = mmap(NULL, 4 * page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(pages != MAP_FAILED);
  memory = pages + page_size();
  uint64_t inside = address_of(memory) + 128;
  uint64_t behind = address_of(memory) + page_size();
  uint64_t before = address_of(memory) - 8;
  far_address = 16;

  child_passes(strict, &inside, "an address in a region is a trap");
  child_dies_at(PROTECTED_PAGE_SIGNAL, pc, strict, &behind, "the address behind a region");
  child_dies_at(PROTECTED_PAGE_SIGNAL, pc, strict, &before, "the address before a region");
  child_dies_at(SIGSEGV, pc, strict, &far_address, "a null pointer with an offset");
  child_passes(strict_with_a_site, &inside, "with a site: in a region it is a trap");
  child_dies_at(PROTECTED_PAGE_SIGNAL, pc, strict_with_a_site, &behind, "with a site: behind it");
#if defined(__x86_64__)
  uint64_t not_canonical = UINT64_C(0x8000000000000000);
  child_dies_at(SIGSEGV, pc, strict, &not_canonical, "an address that the processor does not tell");
#endif
  child_dies_at(PROTECTED_PAGE_SIGNAL, pc, strict_after_the_region_is_gone, &inside,
                "a region that was unregistered");
  child_passes(lenient, &far_address, "without WASMTRAP_CODE_STRICT any address is a trap");
  child_passes(strict_without_memory, NULL, "faults that are not of memory need no region");
  return tap_done();
}
