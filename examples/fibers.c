/* Fibers: two stacks take turns on one thread, each in the middle of a protected call.
 *
 *   cc fibers.c $(pkg-config --cflags --libs wasmtrap) && ./a.out
 *
 * What to take from it: a stack's protected calls go with the stack. Whoever switches takes the running stack's chain
 * off the thread, switches, and gives the thread the chain of the stack that runs now, with that stack's bounds, so
 * that an overflow of it is a trap, too. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <ucontext.h>

#include "check.h"

enum { STACK = 256 << 10, GUARD = 16 << 10, TURNS = 3 };

typedef struct {
  const char *name;
  ucontext_t context;
  wasmtrap_chain_t *chain;
  wasmtrap_stack_t stack;
  int ends_with_a_trap, done;
} fiber_t;

static fiber_t fibers[2], *running;
static ucontext_t scheduler;

static void resume(fiber_t *fiber) {
  running = fiber;
  CHECK(wasmtrap_chain_attach(fiber->chain, &fiber->stack));
  swapcontext(&scheduler, &fiber->context);
  CHECK(wasmtrap_chain_detach(&fiber->chain));
}

/* From inside WebAssembly: an import that waits. */
static void yield(void) { swapcontext(&running->context, &scheduler); }

static void webassembly(void *argument) {
  fiber_t *fiber = argument;
  for (int turn = 0; turn < TURNS; turn++) {
    printf("%s, turn %d\n", fiber->name, turn);
    yield();
  }
  if (fiber->ends_with_a_trap) wasmtrap_raise(WASMTRAP_CODE_UNREACHABLE, 0);
}

static void run_fiber(void) {
  fiber_t *fiber = running;
  wasmtrap_trap_t trap = {0};
  trap.struct_size = sizeof trap;
  if (CHECK(wasmtrap_call(webassembly, fiber, &trap)) == WASMTRAP_TRAPPED) {
    printf("%s trapped: %s\n", fiber->name, wasmtrap_code_name(trap.code));
  } else {
    printf("%s returned\n", fiber->name);
  }
  fiber->done = 1;
  yield();
}

int main(void) {
  CHECK(wasmtrap_init(NULL));
  static const char *const names[] = {"one", "two"};
  for (int i = 0; i < 2; i++) {
    fiber_t *fiber = &fibers[i];
    char *memory = mmap(NULL, GUARD + STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, GUARD, PROT_NONE) != 0) return 2;
    fiber->name = names[i];
    fiber->ends_with_a_trap = i == 0;
    fiber->stack.struct_size = sizeof fiber->stack;
    fiber->stack.low = memory + GUARD;
    fiber->stack.high = memory + GUARD + STACK;
    fiber->stack.guard_size = GUARD;
    if (getcontext(&fiber->context) != 0) return 2;
    fiber->context.uc_stack.ss_sp = memory + GUARD;
    fiber->context.uc_stack.ss_size = STACK;
    makecontext(&fiber->context, run_fiber, 0);
  }
  while (!fibers[0].done || !fibers[1].done) {
    for (int i = 0; i < 2; i++) {
      if (!fibers[i].done) resume(&fibers[i]);
    }
  }
  return 0;
}
