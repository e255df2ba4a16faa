/* An error that was caught inside (longjmp out of protected calls into an outer one, as Lua, Ruby, R and PostgreSQL do)
 * leaves the outer call alive: what traps afterwards lands in it, by a fault and by wasmtrap_raise, with its backtrace,
 * whatever the memory of the calls that were left has become, however many they are, on a thread and on a fiber. */
#include <pthread.h>
#include <string.h>

#include "fiber.h"
#include "host.h"
#include "jumps.h"

enum { FAULTS = 2, MANY_CALLS = 50 };

typedef struct plan_t {
  /* Whether the trap comes by wasmtrap_raise. */
  int raises;
  stack_use_t use;
  /* How many calls are left by the jump. */
  int calls;
  /* How many calls are alive around them. */
  int alive;
  /* The innermost of those that has returned. */
  int returned;
  size_t frames[WASMTRAP_MAX_FRAMES];
} plan_t;

static void *page;

static void trap(void *argument) {
  plan_t *const plan = argument;
  if (plan->raises) wasmtrap_raise(WASMTRAP_CODE_USER + 5, 55);
  wasm_access_t access = {address_of(page), 0};
  wasm_import_t load = {wasm_load.function, &access};
  wasm_call_import.function(&load);
}

static void leave_and_trap(void *argument) {
  plan_t *const plan = argument;
  leave_calls_by_a_jump(plan->calls);
  (void)use_stack(plan->use, trap, plan);
}

/* The calls that are alive. The innermost is the one that traps. */
static void nest(void *argument) {
  plan_t *const plan = argument;
  const int level = plan->alive;
  if (level == 0) {
    leave_and_trap(plan);
    return;
  }
  plan->alive--;
  wasmtrap_trap_t record = host_new_trap();
  if (level == 1) {
    record.frames = plan->frames;
    record.frames_capacity = WASMTRAP_MAX_FRAMES;
  }
  wasm_import_t import = {nest, plan};
  const wasmtrap_status_t status = wasmtrap_call(wasm_call_import.function, &import, &record);
  if (level > 1) {
    must(status == WASMTRAP_OK);
    plan->returned++;
    return;
  }
  same(status, WASMTRAP_TRAPPED, "the innermost call that is alive has trapped");
  if (plan->raises) {
    same(record.payload, 55, "by what was raised");
  } else {
    same(record.fault_address, address_of(page), "by that fault");
    same(record.frames[0], wasm_fault_pc(&wasm_load), "the backtrace begins with the load");
    if (!FRAMES_LEAD_PAST_USE_STACK) return;
    same(record.frames[record.frame_count - 1], wasm_fault_pc(&wasm_call_import), "and ends in the outermost function");
  }
}

static void try(int raises, stack_use_t use, int calls, int alive, const char *where) {
  plan_t plan;
  memset(&plan, 0, sizeof plan);
  plan.raises = raises;
  plan.use = use;
  plan.calls = calls;
  plan.alive = alive;
  tap_note("%s: %s after %d calls were left, whose memory is %s; %d are alive", where, raises ? "a raise" : "a fault",
           calls, stack_use_names[use], alive);
  nest(&plan);
  same(plan.returned, alive - 1, "the calls further out go on");
  if (use == RETURN_ADDRESSES_REPLACED) ok(return_addresses_replaced >= calls, "one of each call at the least");
}

static void try_all(const char *where) {
  static const int calls[] = {1, 2, 3};
  for (int raises = 0; raises < FAULTS; raises++) {
    for (int use = 0; use < STACK_USES; use++) {
      for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        try(raises, (stack_use_t)use, calls[i], 1, where);
        try(raises, (stack_use_t)use, calls[i], 2, where);
      }
    }
  }
}

static void *on_thread(void *where) {
  try_all(where);
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "the thread is outside of any call");
  return NULL;
}

static void on_fiber(fiber_t *fiber, void *where) {
  (void)fiber;
  try_all(where);
}

static void again_and_again(void *argument) {
  plan_t *const plan = argument;
  for (int i = 0; i < 1000; i++) {
    leave_calls_by_a_jump(1 + i % 3);
    wasmtrap_trap_t record;
    must(host_load(&wasm_load, page, &record) == WASMTRAP_TRAPPED);
  }
  trap(plan);
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  host_register_code(&wasm_call_import);
  page = inaccessible_page();
  try_all("main thread");
  /* More than a thread's list of calls has room for at first. */
  try(0, ZEROED, MANY_CALLS, 2, "main thread");
  try(0, FILLED_WITH_AN_ADDRESS, 1, MANY_CALLS, "main thread");

  pthread_t thread;
  static char on_a_thread[] = "thread", on_a_fiber[] = "fiber";
  must(pthread_create(&thread, NULL, on_thread, on_a_thread) == 0);
  must(pthread_join(thread, NULL) == 0);
  fiber_t *const fiber = fiber_new(on_fiber, on_a_fiber);
  fiber_resume(fiber);
  ok(fiber->finished, "the fiber has finished");

  plan_t plan;
  memset(&plan, 0, sizeof plan);
  wasmtrap_trap_t record = host_new_trap();
  trapped_with(wasmtrap_call(again_and_again, &plan, &record), &record, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "a thousand errors caught, a trap in a call after each, and then the outer call's");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "no protected call is left: shutdown is not refused");
  return tap_done();
}
