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

/* As many bytes as were asked for, in pages: never a whole page more. */
static size_t pages_too_many(void) {
  enum { FIRST = 100 * 1000, STEP = 64 };
  size_t wrong = 0;
  for (size_t asked = FIRST - FIRST % STEP; asked < FIRST + page_size(); asked += STEP) {
    const size_t size = size_with(asked);
    if (size >= asked && size < asked + page_size()) continue;
    if (wrong++ == 0) tap_note("%zu bytes for %zu", size, asked);
  }
  return wrong;
}

static size_t size_now(void) {
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0);
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  return stack.ss_size;
}

static wasmtrap_client_t open_with(const char *name, size_t asked) {
  const wasmtrap_options_t options = {.struct_size = sizeof options, .alternate_stack_size = asked};
  const wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = name, .options = &options};
  wasmtrap_client_t client = 0;
  must(wasmtrap_client_open(&desc, &client) == WASMTRAP_OK);
  return client;
}

static void several_clients(void *unused) {
  (void)unused;
  open_with("first", 64 << 10);
  ok(size_now() >= 64 << 10 && size_now() < 1 << 20, "the first client's size");
  open_with("second", 1 << 20);
  ok(size_now() >= 1 << 20, "once another one has asked for more, that is what a thread gets");
  open_with("third", 16 << 10);
  ok(size_now() >= 1 << 20, "one who asks for less takes nothing away");
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
  same(pages_too_many(), 0, "no size gets a page too many");
  child_passes(several_clients, NULL, "several clients");
  child_dies_at(PROTECTED_PAGE_SIGNAL, wasm_fault_pc(&wasm_store), touch_below, NULL,
                "the page below it may not be touched");
  child_dies_of(PROTECTED_PAGE_SIGNAL, overflow_alternate_stack, NULL, "a handler that overflows it dies");
  return tap_done();
}
