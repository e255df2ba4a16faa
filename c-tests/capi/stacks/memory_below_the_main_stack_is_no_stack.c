/* Below the main thread's stack, which grows, other memory may lie as near as the limit of its size lets it: a load
 * from there that must not be is out of bounds, not a stack overflow. The stack's own overflow stays one. */
#include <sys/mman.h>
#include <sys/resource.h>

#include "host.h"

/* Below the lowest byte to which the stack may grow now, with what the kernel keeps free under it (stack_guard_gap). */
static unsigned char *inaccessible_page_below_the_stack(void) {
  struct rlimit limit;
  must(getrlimit(RLIMIT_STACK, &limit) == 0);
  limit.rlim_cur = (rlim_t)8 << 20;
  must(setrlimit(RLIMIT_STACK, &limit) == 0);
  const size_t here = (size_t)(uintptr_t)&limit;
  void *const wanted = (void *)(uintptr_t)((here - ((size_t)16 << 20)) & ~(page_size() - 1));
  void *const page = mmap(wanted, page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(page != MAP_FAILED);
  /* Where it is taken already, what took it is as near. */
  must((size_t)(uintptr_t)page < here && here - (size_t)(uintptr_t)page < ((size_t)1 << 40));
  if (page != wanted) tap_note("at %p, the stack at %p", page, (void *)&limit);
  return page;
}

int main(void) {
  unsigned char *const page = inaccessible_page_below_the_stack();
  host_init();
  host_register_code(&wasm_load);
  host_register_strict_code(&wasm_recurse);
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a load from there");
  same(trap.fault_address, (size_t)(uintptr_t)page, "... tells where");
  same(trap.flags & WASMTRAP_HAS_STACK_GUARD, 0, "... and speaks of no stack");
  wasm_access_t access = {0, 0};
  trapped_with(host_call(&wasm_recurse, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, "endless recursion");
  same(trap.flags & WASMTRAP_HAS_STACK_GUARD, WASMTRAP_HAS_STACK_GUARD, "... is in the stack's guard");
  return tap_done();
}
