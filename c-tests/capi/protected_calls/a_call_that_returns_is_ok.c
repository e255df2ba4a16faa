/* wasmtrap_call runs the function once with its argument and returns WASMTRAP_OK; the trap record is left alone. */
#include <errno.h>
#include <string.h>

#include "host.h"

static int runs;
static void *seen;

static void function(void *argument) {
  runs++;
  seen = argument;
  errno = ENOTTY;
}

int main(void) {
  host_init();
  wasmtrap_trap_t trap, before;
  memset(&trap, 0xa5, sizeof trap);
  trap.struct_size = sizeof trap;
  trap.frames = NULL;
  trap.frames_capacity = 0;
  before = trap;
  int argument;

  same(wasmtrap_call(function, &argument, &trap), WASMTRAP_OK, "with a trap record");
  same(runs, 1, "the function ran once");
  ok(seen == &argument, "with its argument");
  ok(memcmp(&trap, &before, sizeof trap) == 0, "the trap record is untouched");
  same(wasmtrap_call(function, NULL, NULL), WASMTRAP_OK, "without one");
  same(runs, 2, "the function ran once more");
  ok(seen == NULL, "with its argument");
  errno = 0;
  wasmtrap_call(function, NULL, NULL);
  same(errno, ENOTTY, "errno is the function's");

  host_register_code(&wasm_load);
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  same(wasmtrap_call(wasm_load.function, &access, NULL), WASMTRAP_TRAPPED, "a trap without a record");
  errno = EAGAIN;
  wasmtrap_call(wasm_load.function, &access, NULL);
  same(errno, EAGAIN, "a trap leaves errno alone");
  return tap_done();
}
