/* A fault handler need not return: it may jump into a landing pad of the embedder's, from the alternate stack, ten
 * thousand times, also after a stack overflow. */
#include <setjmp.h>
#include <signal.h>

#include "host.h"

enum { JUMPS = 10000 };

static sigjmp_buf landing;

static wasmtrap_verdict_t jump(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  siglongjmp(landing, 1);
}

static volatile int jumps;

int main(void) {
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(jump, NULL) == WASMTRAP_OK);
  static wasm_access_t access;
  access.address = address_of(inaccessible_page());

  (void)sigsetjmp(landing, 1);
  while (jumps < JUMPS) {
    jumps++;
    wasm_load.function(&access);
  }
  same(jumps, JUMPS, "out of loads");

#if !defined(_WIN32) /* There is no stack but the one that is full: putting its guard back is the host's affair. */
  jumps = 0;
  (void)sigsetjmp(landing, 1);
  while (jumps < 20) {
    jumps++;
    wasm_recurse.function(&access);
  }
  same(jumps, 20, "out of stack overflows");
#endif

  must(wasmtrap_set_fault_handler(NULL, NULL) == WASMTRAP_OK);
  ok(library_traps(), "without the handler, a trap is a trap");
  return tap_done();
}
