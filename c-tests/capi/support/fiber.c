#include "fiber.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "memory.h"
#include "tap.h"

enum { STACK_SIZE = 256 * 1024 };

/* Takes the running stack's chain off the thread. */
static void detach(const fiber_t *fiber, wasmtrap_chain_t **chain) {
  if (!fiber->undeclared) must(wasmtrap_chain_detach(chain) == WASMTRAP_OK);
}

static void attach(const fiber_t *fiber, wasmtrap_chain_t *chain, const wasmtrap_stack_t *stack) {
  if (!fiber->undeclared) must(wasmtrap_chain_attach(chain, stack) == WASMTRAP_OK);
}

void fiber_resume(fiber_t *fiber) {
  wasmtrap_chain_t *mine = NULL;
  detach(fiber, &mine);
  must(swapcontext(&fiber->resumer, &fiber->own) == 0);
  attach(fiber, mine, NULL);
}

void fiber_yield(fiber_t *fiber) {
  detach(fiber, &fiber->chain);
  must(swapcontext(&fiber->own, &fiber->resumer) == 0);
  attach(fiber, fiber->chain, &fiber->stack);
}

/* makecontext passes integers only. */
static void start(unsigned high, unsigned low) {
  fiber_t *const fiber = (fiber_t *)(uintptr_t)((uint64_t)high << 32 | low);
  attach(fiber, fiber->chain, &fiber->stack);
  fiber->function(fiber, fiber->argument);
  fiber->finished = 1;
  fiber_yield(fiber);
}

fiber_t *fiber_new(void (*function)(fiber_t *fiber, void *argument), void *argument) {
  fiber_t *const fiber = calloc(1, sizeof *fiber);
  must(fiber != NULL);
  const size_t guard = page_size();
  /* Nobody can read above it either. */
  fiber->memory = mmap(NULL, STACK_SIZE + 2 * guard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(fiber->memory != MAP_FAILED && mprotect(fiber->memory, guard, PROT_NONE) == 0);
  must(mprotect(fiber->memory + guard + STACK_SIZE, guard, PROT_NONE) == 0);
  fiber->stack.struct_size = sizeof fiber->stack;
  fiber->stack.low = fiber->memory + guard;
  fiber->stack.high = fiber->memory + guard + STACK_SIZE;
  fiber->stack.guard_size = guard;
  fiber->function = function;
  fiber->argument = argument;
  must(getcontext(&fiber->own) == 0);
  fiber->own.uc_stack.ss_sp = fiber->memory + guard;
  fiber->own.uc_stack.ss_size = STACK_SIZE;
  const uint64_t address = address_of(fiber);
  makecontext(&fiber->own, (void (*)(void))start, 2, (unsigned)(address >> 32), (unsigned)address);
  return fiber;
}

void fiber_free(fiber_t *fiber) {
  munmap(fiber->memory, 2 * page_size() + STACK_SIZE);
  free(fiber);
}
