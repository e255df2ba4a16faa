/*
 * fiber.h for Windows, on its own fibers. A fiber's stack is the system's, with a guard that moves down as the stack
 * grows; where it is, the thread's block says while the fiber runs. So each has run once, up to its function, before
 * fiber_new returns.
 */
#include "fiber.h"

#include <stdlib.h>
#include <windows.h>

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

static void switch_to(fiber_t *fiber) {
  if (!IsThreadAFiber()) must(ConvertThreadToFiber(NULL) != NULL);
  fiber->resumer = GetCurrentFiber();
  SwitchToFiber(fiber->own);
}

void fiber_resume(fiber_t *fiber) {
  wasmtrap_chain_t *mine = NULL;
  detach(fiber, &mine);
  switch_to(fiber);
  attach(fiber, mine, NULL);
}

void fiber_yield(fiber_t *fiber) {
  detach(fiber, &fiber->chain);
  SwitchToFiber(fiber->resumer);
  attach(fiber, fiber->chain, &fiber->stack);
}

/* StackBase and DeallocationStack of the thread's block (NT_TIB, TEB). */
static void find_stack(fiber_t *fiber) {
  const unsigned char *const block = (const unsigned char *)NtCurrentTeb();
  fiber->stack.high = ((void *const *)block)[1];
  fiber->memory = *(unsigned char *const *)(block + 0x1478);
}

static void CALLBACK start(void *argument) {
  fiber_t *const fiber = argument;
  find_stack(fiber);
  SwitchToFiber(fiber->resumer);
  attach(fiber, fiber->chain, &fiber->stack);
  fiber->function(fiber, fiber->argument);
  fiber->finished = 1;
  fiber_yield(fiber);
}

fiber_t *fiber_new(void (*function)(fiber_t *fiber, void *argument), void *argument) {
  fiber_t *const fiber = calloc(1, sizeof *fiber);
  must(fiber != NULL);
  fiber->function = function;
  fiber->argument = argument;
  fiber->own = CreateFiberEx(0, STACK_SIZE, 0, start, fiber);
  must(fiber->own != NULL);
  switch_to(fiber);
  fiber->stack.struct_size = sizeof fiber->stack;
  fiber->stack.guard_size = page_size();
  fiber->stack.low = fiber->memory + fiber->stack.guard_size;
  return fiber;
}

void fiber_free(fiber_t *fiber) {
  DeleteFiber(fiber->own);
  free(fiber);
}
