/* A limit that cannot be told is refused, and nothing is made up. */
#include "host.h"
#include "refusal.h"

int main(void) {
  uintptr_t limit;
  fill(&limit, sizeof limit);
  refused(wasmtrap_stack_limit(0, &limit), WASMTRAP_ERR_NOT_INITIALIZED, NULL, NULL, "before wasmtrap_init");
  ok(untouched(&limit, sizeof limit), "... and tells nothing");
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  remember_state();
  refused(wasmtrap_stack_limit(0, NULL), WASMTRAP_ERR_INVALID_ARGUMENT, "limit", "NULL", "nowhere to put it");
  refused(wasmtrap_stack_limit(SIZE_MAX, &limit), WASMTRAP_ERR_INVALID_ARGUMENT, "reserve", "18446744073709551615",
          "a reserve that wraps");
  refused(wasmtrap_stack_limit((size_t)1 << 46, &limit), WASMTRAP_ERR_INVALID_ARGUMENT, "reserve", "70368744177664",
          "a reserve that leaves nothing");
  wasmtrap_set_stack_reserve((size_t)1 << 46);
  refused(wasmtrap_stack_limit(0, &limit), WASMTRAP_ERR_INVALID_ARGUMENT, "host's reserve", "70368744177664",
          "a reserve of the host's that leaves nothing");
  wasmtrap_set_stack_reserve(SIZE_MAX);
  refused(wasmtrap_stack_limit(1, &limit), WASMTRAP_ERR_INVALID_ARGUMENT, "host's reserve", NULL, "both wrap");
  wasmtrap_set_stack_reserve(WASMTRAP_DEFAULT_STACK_RESERVE);

  /* A stack elsewhere: the thread does not run on it. */
  static unsigned char elsewhere[4096];
  wasmtrap_stack_t stack = {0};
  stack.struct_size = sizeof stack;
  stack.low = elsewhere;
  stack.high = elsewhere + sizeof elsewhere;
  must(wasmtrap_chain_attach(NULL, &stack) == WASMTRAP_OK);
  refused(wasmtrap_stack_limit(0, &limit), WASMTRAP_ERR_UNSUPPORTED, "stack pointer", "0x", "an unknown stack");
  must(wasmtrap_chain_attach(NULL, NULL) == WASMTRAP_OK);
  ok(untouched(&limit, sizeof limit), "none of them tells anything");
  same(wasmtrap_stack_limit(0, &limit), WASMTRAP_OK, "afterwards it works");
  return tap_done();
}
