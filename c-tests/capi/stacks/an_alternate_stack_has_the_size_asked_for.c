/* wasmtrap_options_t says how large the alternate stacks are that the library makes; an overflow of one of them runs
 * into a guard page rather than into other memory. */
#include <signal.h>
#include <stdint.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static size_t size_with(size_t asked) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.alternate_stack_size = asked;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0);
  must(stack.ss_flags == 0);
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  return stack.ss_size;
}

static void run_over(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  wasm_access_t access = {0, 0};
  wasm_recurse.function(&access);
}

/* The library's alternate stack ends: a second fault, on it, which nobody can handle. */
static void overflow_alternate_stack(void *unused) {
  (void)unused;
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  install_handler(SIGUSR1, run_over, SA_ONSTACK);
  raise(SIGUSR1);
}

static void touch_below(void *unused) {
  (void)unused;
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0);
  wasm_access_t access = {address_of(stack.ss_sp) - 8, 0};
  wasm_store.function(&access);
}

int main(void) {
  ok(size_with(0) >= 32 * 1024, "the default is 32 KiB or more");
  ok(size_with(16 * 1024) >= 16 * 1024, "the smallest is 16 KiB");
  const size_t million = size_with(1000 * 1000);
  ok(million >= 1000 * 1000 && million < 1000 * 1000 + 2 * page_size(), "a million bytes, in pages");
  const size_t largest = size_with(64 << 20);
  ok(largest >= 64 << 20 && largest < (64 << 20) + 2 * page_size(), "the largest is 64 MiB");
  child_dies_at(PROTECTED_PAGE_SIGNAL, wasm_fault_pc(&wasm_store), touch_below, NULL,
                "the page below it may not be touched");
  child_dies_of(PROTECTED_PAGE_SIGNAL, overflow_alternate_stack, NULL, "a handler that overflows it dies");
  return tap_done();
}
