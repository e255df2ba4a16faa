/* wasmtrap_mark and wasmtrap_unwind_to, for hosts whose errors are longjmps: after it, the calls that were left count
 * no longer, whatever their memory looks like; the innermost call is the one in which the mark was made. */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "fiber.h"
#include "host.h"
#include "jumps.h"
#include "process.h"

static void *page;

static void load(void *offset) {
  wasm_access_t access = {address_of(page) + *(const size_t *)offset, 0};
  wasm_load.function(&access);
}

/* As a host does: a mark where the jump is prepared, and back to it where it arrives. */
static void catch_an_error(int calls) {
  wasmtrap_mark_t mark;
  memset(&mark, 0xa5, sizeof mark);
  must(wasmtrap_mark(&mark) == WASMTRAP_OK);
  leave_calls_by_a_jump(calls);
  same(wasmtrap_unwind_to(&mark), WASMTRAP_OK, "back at the mark after %d calls were left", calls);
  same(wasmtrap_unwind_to(&mark), WASMTRAP_OK, "a second time there is nothing to do");
}

static void catch_and_load(void *offset) {
  catch_an_error(3);
  (void)use_stack(UNTOUCHED, load, offset);
}

static void outside(void *unused) {
  (void)unused;
  catch_an_error(2);
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "no call keeps the thread attached");
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  catch_an_error(1);
  wasmtrap_chain_t *chain = (wasmtrap_chain_t *)&chain;
  must(wasmtrap_chain_detach(&chain) == WASMTRAP_OK);
  ok(chain == NULL, "none is in the chain");
}

static void then_a_fault(void *offset) {
  catch_and_load(offset);
}

/* A mark in a call, one further in, and both used from the outer one's frame. */
static void nested_marks(void *inner) {
  wasmtrap_mark_t outer_mark;
  must(wasmtrap_mark(&outer_mark) == WASMTRAP_OK);
  wasmtrap_mark_t copy = outer_mark;
  if (*(int *)inner > 0) {
    (*(int *)inner)--;
    same(wasmtrap_call(nested_marks, inner, NULL), WASMTRAP_OK, "a call with a mark of its own");
  }
  leave_calls_by_a_jump(2);
  same(wasmtrap_unwind_to(&copy), WASMTRAP_OK, "a copy of a mark is as good");
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a call after it");
}

static void jump_from_a_fiber(fiber_t *fiber, void *unused) {
  (void)fiber;
  (void)unused;
  for (int i = 0; i < 3; i++) catch_an_error(2);
  size_t offset = 24;
  wasmtrap_trap_t trap = host_new_trap();
  trapped_with(wasmtrap_call(catch_and_load, &offset, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "a trap on a fiber, after an error there");
}

/* The host's word counts: a call that it said had been left, and that returns, is told so. */
static void go_past(void *mark) {
  same(wasmtrap_unwind_to(mark), WASMTRAP_OK, "a call says that it has been left itself");
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  page = inaccessible_page();
  child_passes(outside, NULL, "outside of any call");
  static size_t offset = 16;
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), then_a_fault, &offset,
                "outside of any call, untouched memory of calls that were left is nowhere to land");
  wasmtrap_trap_t trap = host_new_trap();
  trapped_with(wasmtrap_call(catch_and_load, &offset, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "in a call, the trap is that call's");
  same(trap.fault_address, address_of(page) + offset, "it is that trap");
  int depth = 20;
  same(wasmtrap_call(nested_marks, &depth, NULL), WASMTRAP_OK, "marks in calls in calls");

  fiber_resume(fiber_new(jump_from_a_fiber, NULL));
  wasmtrap_mark_t mark;
  must(wasmtrap_mark(&mark) == WASMTRAP_OK);
  same(wasmtrap_call(go_past, &mark, NULL), WASMTRAP_ERR_WRONG_THREAD, "it returns all the same");
  contains(wasmtrap_last_error(), "wasmtrap_unwind_to", "and the sentence says why");
  ok(library_traps(), "a trap is a trap");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "no protected call is left: shutdown is not refused");
  return tap_done();
}
