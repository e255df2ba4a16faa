/* wasmtrap_chain_detach wants a place for the chain; wasmtrap_chain_attach a thread outside of protected calls, a chain
 * that is on no thread, and a stack that can be one. */
#include <pthread.h>
#include <stdio.h>

#include "host.h"
#include "refusal.h"

static wasmtrap_chain_t *own_chain;

static wasmtrap_stack_t good_stack(void) {
  static unsigned char memory[64 * 1024];
  wasmtrap_stack_t stack = {0};
  stack.struct_size = sizeof stack;
  stack.low = memory;
  stack.high = memory + sizeof memory;
  return stack;
}

static void bad_stacks(wasmtrap_chain_t *chain) {
  const wasmtrap_status_t invalid = WASMTRAP_ERR_INVALID_ARGUMENT;
  wasmtrap_stack_t stack = good_stack();
  static const size_t sizes[] = {0, sizeof stack - 1, sizeof stack + 1, SIZE_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    char value[32];
    snprintf(value, sizeof value, "%zu", sizes[i]);
    stack.struct_size = sizes[i];
    refused(wasmtrap_chain_attach(chain, &stack), WASMTRAP_ERR_STRUCT_SIZE, "stack->struct_size", value,
            "a wrong struct_size");
  }
  stack = good_stack();
  stack.low = NULL;
  refused(wasmtrap_chain_attach(chain, &stack), invalid, "stack->low", NULL, "no lowest byte");
  stack = good_stack();
  stack.high = stack.low;
  refused(wasmtrap_chain_attach(chain, &stack), invalid, "stack->high", NULL, "a stack without a byte");
  stack.high = NULL;
  refused(wasmtrap_chain_attach(chain, &stack), invalid, "stack->high", NULL, "no highest byte");
  stack = good_stack();
  const void *const low = stack.low;
  stack.low = stack.high;
  stack.high = low;
  refused(wasmtrap_chain_attach(chain, &stack), invalid, "stack->low", NULL, "upside down");
  stack = good_stack();
  stack.guard_size = SIZE_MAX;
  refused(wasmtrap_chain_attach(chain, &stack), invalid, "stack->guard_size", "0xffffffffffffffff",
          "a guard that wraps");
}

static void *attach_elsewhere(void *chain) {
  /* A thread that the library does not know yet. The description tells of the thread that asks. */
  remember_state();
  refused(wasmtrap_chain_attach(chain, NULL), WASMTRAP_ERR_WRONG_THREAD, "chain", NULL,
          "a chain that another thread runs");
  return NULL;
}

static void inside(void *page) {
  const wasmtrap_status_t invalid = WASMTRAP_ERR_INVALID_ARGUMENT;
  remember_state();
  refused(wasmtrap_chain_detach(NULL), invalid, "chain", "NULL", "nowhere to put the chain");
  refused(wasmtrap_chain_attach(NULL, NULL), WASMTRAP_ERR_BUSY, "protected call", NULL,
          "no chain over the running one");
  must(wasmtrap_chain_detach(&own_chain) == WASMTRAP_OK);
  ok(own_chain != NULL, "the thread's chain is detached");
  bad_stacks(own_chain);
  same(wasmtrap_chain_attach(own_chain, NULL), WASMTRAP_OK, "after all that, it can be attached");
  refused(wasmtrap_chain_attach(own_chain, NULL), WASMTRAP_ERR_BUSY, "protected call", NULL, "not twice");
  pthread_t thread;
  must(pthread_create(&thread, NULL, attach_elsewhere, own_chain) == 0);
  must(pthread_join(thread, NULL) == 0);
  wasm_access_t access = {address_of(page), 0};
  wasm_load.function(&access);
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  remember_state();
  refused(wasmtrap_chain_detach(NULL), WASMTRAP_ERR_INVALID_ARGUMENT, "chain", "NULL", "nowhere to put the chain");
  bad_stacks(NULL);
  wasmtrap_chain_t *none = (wasmtrap_chain_t *)&none;
  same(wasmtrap_chain_detach(&none), WASMTRAP_OK, "a thread without protected calls");
  ok(none == NULL, "has no chain");
  wasmtrap_trap_t trap = host_new_trap();
  trapped_with(wasmtrap_call(inside, inaccessible_page(), &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "the call is still there, and traps");
  same(wasmtrap_chain_attach(NULL, NULL), WASMTRAP_OK, "no chain, outside: nothing to do");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "nothing is left detached");
  return tap_done();
}
