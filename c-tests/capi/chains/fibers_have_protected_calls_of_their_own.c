/* Fibers that take turns inside of protected calls: each trap ends a call of the fiber that runs, the others' calls
 * wait on their own stacks. */
#include "fiber.h"
#include "host.h"

enum { FIBERS = 8, ROUNDS = 50 };

typedef struct worker_t {
  fiber_t *fiber;
  int number;
  int right;
} worker_t;

static void *page;

/* Three protected calls deep, the fiber yields in the innermost, and then each call ends by a trap of its own. */
static void innermost(void *argument) {
  worker_t *const worker = argument;
  fiber_yield(worker->fiber);
  wasmtrap_raise(WASMTRAP_CODE_USER, (uint64_t)worker->number);
}

static void middle(void *argument) {
  worker_t *const worker = argument;
  wasmtrap_trap_t trap = host_new_trap();
  if (wasmtrap_call(innermost, worker, &trap) == WASMTRAP_TRAPPED && trap.payload == (uint64_t)worker->number) {
    worker->right++;
  }
  fiber_yield(worker->fiber);
  wasm_access_t access = {address_of(page) + 8 * (uint64_t)worker->number, 0};
  wasm_load.function(&access);
}

static void work(fiber_t *fiber, void *argument) {
  worker_t *const worker = argument;
  worker->fiber = fiber;
  for (int round = 0; round < ROUNDS; round++) {
    wasmtrap_trap_t trap = host_new_trap();
    wasm_import_t import = {middle, worker};
    if (wasmtrap_call(wasm_call_import.function, &import, &trap) == WASMTRAP_TRAPPED &&
        trap.fault_address == address_of(page) + 8 * (size_t)worker->number) {
      worker->right++;
    }
    fiber_yield(fiber);
  }
}

static worker_t workers[FIBERS];

static void take_turns(void *unused) {
  (void)unused;
  fiber_t *fibers[FIBERS];
  for (int i = 0; i < FIBERS; i++) {
    workers[i] = (worker_t){NULL, i, 0};
    fibers[i] = fiber_new(work, &workers[i]);
  }
  for (int running = FIBERS; running > 0;) {
    running = 0;
    for (int i = 0; i < FIBERS; i++) {
      if (fibers[i]->finished) continue;
      fiber_resume(fibers[i]);
      running++;
    }
  }
  for (int i = 0; i < FIBERS; i++) {
    same(workers[i].right, 2 * ROUNDS, "fiber %d: all its traps landed in its own calls", i);
    fiber_free(fibers[i]);
  }
}

static void take_turns_and_trap(void *unused) {
  take_turns(unused);
  wasmtrap_raise(WASMTRAP_CODE_USER + 1, 0);
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  host_register_code(&wasm_call_import);
  page = inaccessible_page();
  take_turns(NULL);
  ok(library_traps(), "afterwards a trap is a trap");
  wasmtrap_trap_t trap = host_new_trap();
  trapped_with(wasmtrap_call(take_turns_and_trap, NULL, &trap), &trap, WASMTRAP_CODE_USER + 1,
               "fibers inside of a protected call of the thread, which traps in the end");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "no protected call is left: shutdown is not refused");
  return tap_done();
}
