/* A vectored handler that is added in front of the library's is noticed by wasmtrap_check and by the description,
 * and put behind by wasmtrap_rearm; one that is added at the end is nobody's concern. */
#include <stdlib.h>
#include <windows.h>

#include "host.h"

static volatile int calls;

static LONG WINAPI counts(EXCEPTION_POINTERS *exception) {
  (void)exception;
  calls++;
  return EXCEPTION_CONTINUE_SEARCH;
}

static uint32_t displaced(void) {
  uint32_t kinds = UINT32_MAX;
  must(wasmtrap_check(&kinds) == WASMTRAP_OK);
  return kinds;
}

static int calls_of_a_trap(void) {
  calls = 0;
  must(library_traps());
  return calls;
}

int main(void) {
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  const uint32_t all = WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ILLEGAL | WASMTRAP_FAULT_ARITHMETIC;
  same(displaced(), 0, "nobody is in front");
  void *const last = AddVectoredExceptionHandler(0, counts);
  same(displaced(), 0, "one at the end");
  same(calls_of_a_trap(), 0, "which sees no traps");
  for (int round = 1; round <= 3; round++) {
    void *const first = AddVectoredExceptionHandler(1, counts);
    same(displaced(), all, "one in front is noticed (%d)", round);
    char *const text = described();
    contains(text, "another one was added in front", "and described");
    free(text);
    same(calls_of_a_trap(), 1, "it sees a trap, which is one all the same");
    same(wasmtrap_rearm(), WASMTRAP_OK, "rearm");
    same(displaced(), 0, "nobody is in front");
    same(calls_of_a_trap(), 0, "it sees no traps any more");
    must(RemoveVectoredExceptionHandler(first) != 0);
    same(displaced(), 0, "when it has gone");
  }
  same(wasmtrap_shutdown(), WASMTRAP_OK, "shutdown");
  must(RemoveVectoredExceptionHandler(last) != 0);
  return tap_done();
}
