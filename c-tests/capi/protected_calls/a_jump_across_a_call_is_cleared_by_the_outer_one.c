/* longjmp from inside of a protected call to its outside leaves a stale call behind; the return of an outer protected
 * call clears it, and then all is as it was. */
#include <setjmp.h>

#include "host.h"

static jmp_buf landing;

static void jump(void *unused) {
  (void)unused;
  longjmp(landing, 1);
}

static volatile int jumped;

static void jump_out_of_an_inner_call(void *unused) {
  (void)unused;
  if (setjmp(landing) == 0) {
    wasmtrap_call(jump, NULL, NULL);
  } else {
    jumped++;
  }
}

static void jump_many_times(void *unused) {
  for (int i = 0; i < 100; i++) jump_out_of_an_inner_call(unused);
}

static void jump_then_raise(void *unused) {
  jump_out_of_an_inner_call(unused);
  wasmtrap_call(jump_out_of_an_inner_call, NULL, NULL);
}

int main(void) {
  host_init();
  same(wasmtrap_call(jump_out_of_an_inner_call, NULL, NULL), WASMTRAP_OK, "the outer call returns");
  same(jumped, 1, "after the jump");
  ok(library_traps(), "traps are traps");
  same(wasmtrap_call(jump_many_times, NULL, NULL), WASMTRAP_OK, "many jumps under one outer call");
  same(wasmtrap_call(jump_then_raise, NULL, NULL), WASMTRAP_OK, "jumps on two levels");
  same(jumped, 103, "all of them landed");
  ok(library_traps(), "traps are traps");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "no protected call is left: shutdown is not refused");
  return tap_done();
}
