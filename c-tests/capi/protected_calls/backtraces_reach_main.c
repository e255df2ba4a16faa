/* The unwinder of debuggers, profilers and C++ passes through wasmtrap_call: a backtrace from inside reaches main. */
#include <unwind.h>

#include "host.h"

typedef struct walk_t {
  uintptr_t functions[128];
  size_t count;
} walk_t;

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *argument) {
  walk_t *const walk = argument;
  if (walk->count == 128) return _URC_END_OF_STACK;
  int before = 0;
  const uintptr_t ip = _Unwind_GetIPInfo(context, &before);
  walk->functions[walk->count++] = (uintptr_t)_Unwind_FindEnclosingFunction((void *)(before ? ip : ip - 1));
  return _URC_NO_REASON;
}

/* A frame of its own, whatever the optimiser would like. */
__attribute__((noinline)) static void look_back(void *walk) {
  _Unwind_Backtrace(step, walk);
  __asm__ volatile("");
}

typedef struct inner_t {
  int depth;
  walk_t *walk;
} inner_t;

__attribute__((noinline)) static void call_deeper(void *argument) {
  inner_t inner = *(const inner_t *)argument;
  if (inner.depth-- == 0) {
    look_back(inner.walk);
  } else {
    must(wasmtrap_call(call_deeper, &inner, NULL) == WASMTRAP_OK);
  }
}

static size_t position(const walk_t *walk, uintptr_t function, size_t number) {
  for (size_t i = 0; i < walk->count; i++) {
    if (walk->functions[i] == function && number-- == 0) return i;
  }
  return SIZE_MAX;
}

int main(void) {
  host_init();
  walk_t direct = {{0}, 0};
  look_back(&direct);
  must(direct.count >= 3);
  const uintptr_t look_back_start = direct.functions[0], this_function = direct.functions[1];

  walk_t walk = {{0}, 0};
  same(wasmtrap_call(look_back, &walk, NULL), WASMTRAP_OK, "a backtrace inside of a protected call");
  same(walk.functions[0], look_back_start, "starts at the function");
  const size_t at = position(&walk, this_function, 0);
  ok(at == 2, "reaches main, with one frame in between");
  same(walk.count, direct.count + 1, "and goes on as far as one from outside does");

  walk_t deep = {{0}, 0};
  inner_t inner = {10, &deep};
  same(wasmtrap_call(call_deeper, &inner, NULL), WASMTRAP_OK, "from eleven protected calls");
  ok(position(&deep, this_function, 0) != SIZE_MAX, "it reaches main");
  same(deep.count, direct.count + 22, "through all of them");
  return tap_done();
}
