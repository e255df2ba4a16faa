/* A fault in the part of a memory that the guest may use is not out of bounds: a file was truncated under its mapping,
 * or the host has protected a page for a purpose of its own. It is forwarded, from a range that is strict or not and at
 * a trap site, unless the region has a code of its own for it. What is accessible may grow. */
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static const wasm_code_t *load;
static unsigned char *memory;
enum { PAGES = 16, CODE = WASMTRAP_CODE_USER + 3, SITE = WASMTRAP_CODE_USER + 4 };

/* The first `accessible` pages are a file's, the last of which it does not have. */
static void map(size_t accessible, wasmtrap_code_t code) {
  host_init_with_signals();
  load = &wasm_load;
  memory = mmap(NULL, PAGES * page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(memory != MAP_FAILED);
  FILE *const file = tmpfile();
  must(file != NULL && ftruncate(fileno(file), (off_t)((accessible - 1) * page_size())) == 0);
  void *const start =
      mmap(memory, accessible * page_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fileno(file), 0);
  must(start == memory);
  wasmtrap_region_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.base = memory;
  desc.length = PAGES * page_size();
  desc.accessible = accessible * page_size();
  desc.accessible_code = code;
  uint64_t id = 0;
  must(wasmtrap_region_register(&desc, &id) == WASMTRAP_OK);
}

static wasmtrap_status_t load_page(size_t page, wasmtrap_trap_t *trap) {
  return host_load(load, memory + page * page_size() + 8, trap);
}

static void truncated_strict(void *unused) {
  (void)unused;
  map(4, WASMTRAP_CODE_NONE);
  host_register_strict_code(&wasm_load);
  wasmtrap_trap_t trap;
  trapped_with(load_page(4, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "beyond the accessible part");
  same(trap.flags & WASMTRAP_IN_ACCESSIBLE, 0, "... and says so");
  must(load_page(2, &trap) == WASMTRAP_OK);
  (void)load_page(3, &trap);
}

static void truncated_not_strict(void *unused) {
  (void)unused;
  map(4, WASMTRAP_CODE_NONE);
  host_register_code(&wasm_load);
  wasmtrap_trap_t trap;
  (void)load_page(3, &trap);
}

static void truncated_at_a_site(void *unused) {
  (void)unused;
  map(4, WASMTRAP_CODE_NONE);
  host_register_code_with_site(&wasm_load, SITE);
  wasmtrap_trap_t trap;
  trapped_with(load_page(4, &trap), &trap, SITE, "beyond the accessible part");
  (void)load_page(3, &trap);
}

static void protected_by_the_host(void *unused) {
  (void)unused;
  map(4, WASMTRAP_CODE_NONE);
  host_register_strict_code(&wasm_load);
  must(mprotect(memory + page_size(), page_size(), PROT_NONE) == 0);
  wasmtrap_trap_t trap;
  (void)load_page(1, &trap);
}

static void with_a_code_of_its_own(void *unused) {
  (void)unused;
  map(4, CODE);
  host_register_code_with_site(&wasm_load, SITE);
  wasmtrap_trap_t trap;
  trapped_with(load_page(3, &trap), &trap, CODE, "a fault in the accessible part");
  same(trap.signal, SIGBUS, "... of the file");
  same(trap.flags & (WASMTRAP_HAS_REGION | WASMTRAP_IN_ACCESSIBLE), WASMTRAP_HAS_REGION | WASMTRAP_IN_ACCESSIBLE,
       "... which the record tells");
  same(trap.region_offset, 3 * page_size() + 8, "... with its place");
  trapped_with(load_page(4, &trap), &trap, SITE, "beyond it the trap site counts");
}

/* As an engine grows a memory: pages first, then the word. */
static void grows(void *unused) {
  (void)unused;
  map(4, CODE);
  host_register_strict_code(&wasm_load);
  wasmtrap_trap_t trap;
  trapped_with(load_page(6, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "before it grows");
  must(wasmtrap_region_set_accessible(memory, 8 * page_size()) == WASMTRAP_OK);
  trapped_with(load_page(6, &trap), &trap, CODE, "after it has grown, the same page is the memory's own");
  trapped_with(load_page(8, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "... and what follows is not");
  must(wasmtrap_region_set_accessible(memory, 0) == WASMTRAP_OK);
  trapped_with(load_page(3, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "nothing is told: all is out of bounds");
}

/* The host's own handler mends it: pages that are mapped when they are first touched. */
static volatile int mended;

static void mend(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  mended++;
  make_accessible(info->si_addr);
}

static void mended_by_the_host(void *unused) {
  (void)unused;
  install_handler(PROTECTED_PAGE_SIGNAL, mend, SA_ONSTACK);
  map(4, WASMTRAP_CODE_NONE);
  must(mprotect(memory, page_size(), PROT_NONE) == 0);
  host_register_code(&wasm_load);
  wasmtrap_trap_t trap;
  same(load_page(0, &trap), WASMTRAP_OK, "the host's handler has mapped the page");
  same(mended, 1, "... when it was touched first");
  trapped_with(load_page(9, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "beyond it, it is not asked");
  same(mended, 1, "... indeed");
}

int main(void) {
  const size_t pc = wasm_fault_pc(&wasm_load);
  child_dies_at(SIGBUS, pc, truncated_strict, NULL, "a truncated file, in strict code");
  child_dies_at(SIGBUS, pc, truncated_not_strict, NULL, "a truncated file, in code that is not strict");
  child_dies_at(SIGBUS, pc, truncated_at_a_site, NULL, "a truncated file, at a trap site");
  child_dies_of(PROTECTED_PAGE_SIGNAL, protected_by_the_host, NULL, "a page that the host has protected");
  child_passes(with_a_code_of_its_own, NULL, "a region with a code for it");
  child_passes(grows, NULL, "a memory that grows");
  child_passes(mended_by_the_host, NULL, "a handler that mends it");
  return tap_done();
}
