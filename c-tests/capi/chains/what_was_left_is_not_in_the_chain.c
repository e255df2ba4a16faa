/* wasmtrap_chain_detach after a jump: the calls that were left are not in the chain, nothing is written to the memory
 * in which they were, and the chain goes on with the calls that are alive, those in between included. */
#include <pthread.h>

#include "fiber.h"
#include "host.h"
#include "jumps.h"

static void *page;
static wasmtrap_chain_t *chain;

static void detach(void *unused) {
  (void)unused;
  same(wasmtrap_chain_detach(&chain), WASMTRAP_OK, "the chain is detached");
}

static void detach_outside(stack_use_t use, int calls) {
  tap_note("%d calls were left, whose memory is %s", calls, stack_use_names[use]);
  leave_calls_by_a_jump(calls);
  same(use_stack(use, detach, NULL), 0, "nothing is written there");
  ok(chain == NULL, "and there is no chain");
}

static void *no_chain_here(void *other) {
  same(wasmtrap_chain_attach(other, NULL), WASMTRAP_OK, "another thread takes the chain");
  wasmtrap_chain_t *back = NULL;
  must(wasmtrap_chain_detach(&back) == WASMTRAP_OK);
  ok(back == other, "and gives it back");
  return NULL;
}

/* alive, left, alive: the outer call's, one that was left, and this one's. */
static void detach_in_between(void *unused) {
  (void)unused;
  wasmtrap_chain_t *whole = NULL;
  must(wasmtrap_chain_detach(&whole) == WASMTRAP_OK);
  pthread_t thread;
  must(pthread_create(&thread, NULL, no_chain_here, whole) == 0);
  must(pthread_join(thread, NULL) == 0);
  same(wasmtrap_chain_attach(whole, NULL), WASMTRAP_OK, "attached again");
  wasm_access_t access = {address_of(page), 0};
  wasm_load.function(&access);
}

static void call_further_in(void *argument) {
  wasmtrap_trap_t trap = host_new_trap();
  trapped_with(wasmtrap_call(detach_in_between, argument, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "the innermost call is in the chain");
}

static void then_the_outer_one(void *unused) {
  (void)unused;
  wasm_access_t access = {address_of(page) + 8, 0};
  wasm_load.function(&access);
}

static void outer(void *use) {
  leave_calls_by_a_jump(2);
  (void)use_stack(*(const stack_use_t *)use, call_further_in, NULL);
  (void)use_stack(UNTOUCHED, then_the_outer_one, NULL);
}

static void everywhere(void) {
  for (int use = 0; use < STACK_USES; use++) {
    stack_use_t memory = (stack_use_t)use;
    /* Untouched and with no call further out, a frame that was left cannot be told. */
    if (memory != UNTOUCHED) {
      detach_outside(memory, 1);
      detach_outside(memory, 3);
    }
    wasmtrap_trap_t trap = host_new_trap();
    trapped_with(wasmtrap_call(outer, &memory, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
                 stack_use_names[use]);
    same(trap.fault_address, address_of(page) + 8, "and the outer call is in the chain as well");
  }
}

static void on_fiber(fiber_t *fiber, void *unused) {
  (void)unused;
  (void)fiber;
  /* The fiber's stack is told again with each chain. */
  must(wasmtrap_chain_attach(NULL, &fiber->stack) == WASMTRAP_OK);
  for (int use = ZEROED; use < STACK_USES; use++) {
    must(wasmtrap_chain_attach(NULL, &fiber->stack) == WASMTRAP_OK);
    detach_outside((stack_use_t)use, 2);
  }
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  page = inaccessible_page();
  everywhere();
  fiber_resume(fiber_new(on_fiber, NULL));
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "the thread is outside of any call");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "and so are all");
  return tap_done();
}
