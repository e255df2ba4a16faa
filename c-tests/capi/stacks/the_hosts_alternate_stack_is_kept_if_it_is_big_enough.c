/* A thread that has an alternate signal stack of its own keeps it, if traps can be handled on it. One that is too small
 * is replaced, and put back when the thread is detached. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "host.h"

static stack_t now(void) {
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0);
  return stack;
}

static void set(void *memory, size_t size) {
  const stack_t stack = {.ss_sp = memory, .ss_size = size};
  must(sigaltstack(&stack, NULL) == 0);
}

static int overflows(void) {
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  return host_call(&wasm_recurse, &access, &trap) == WASMTRAP_TRAPPED && trap.code == WASMTRAP_CODE_STACK_OVERFLOW;
}

static unsigned char big[256 * 1024], other[256 * 1024];
/* For the smallest that the kernel allows. */
static unsigned char small[64 * 1024];

static void *with_none(void *unused) {
  (void)unused;
  ok((now().ss_flags & SS_DISABLE) != 0, "a new thread has no alternate stack");
  same(wasmtrap_thread_attach(), WASMTRAP_OK, "attach");
  same(now().ss_flags, 0, "now it has one");
  ok(now().ss_size >= 32 * 1024, "of 32 KiB or more");
  ok(overflows(), "on which a stack overflow is caught");
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "detach");
  ok((now().ss_flags & SS_DISABLE) != 0, "it has none again");
  return NULL;
}

static void *with_a_big_one(void *unused) {
  (void)unused;
  set(big, sizeof big);
  same(wasmtrap_thread_attach(), WASMTRAP_OK, "attach with one that is big enough");
  ok(now().ss_sp == big && now().ss_size == sizeof big, "it is kept");
  ok(overflows(), "a stack overflow is caught on it");
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "detach");
  ok(now().ss_sp == big && now().ss_size == sizeof big, "it is kept");
  return NULL;
}

static void *with_a_small_one(void *unused) {
  (void)unused;
  const size_t smallest = smallest_signal_stack();
  must(smallest <= sizeof small);
  set(small, smallest);
  same(wasmtrap_thread_attach(), WASMTRAP_OK, "attach with one that is too small");
  ok(now().ss_sp != small, "it is replaced");
  ok(now().ss_size >= 32 * 1024, "by a larger one");
  ok(overflows(), "a stack overflow is caught on it");
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "detach");
  ok(now().ss_sp == small && now().ss_size == smallest, "it is put back");
  return NULL;
}

static void *changed_meanwhile(void *unused) {
  (void)unused;
  same(wasmtrap_thread_attach(), WASMTRAP_OK, "attach");
  set(other, sizeof other);
  ok(overflows(), "the host sets another one: a stack overflow is caught");
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "detach");
  ok(now().ss_sp == other && now().ss_size == sizeof other, "the host's is left in place");
  return NULL;
}

static void *disabled_meanwhile(void *unused) {
  (void)unused;
  same(wasmtrap_thread_attach(), WASMTRAP_OK, "attach");
  same(wasmtrap_thread_attach(), WASMTRAP_OK, "twice is no error");
  const stack_t none = {.ss_flags = SS_DISABLE};
  must(sigaltstack(&none, NULL) == 0);
  ok(library_traps(), "the host takes the alternate stack away: a memory fault is a trap all the same");
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "detach");
  ok((now().ss_flags & SS_DISABLE) != 0, "there is none, as before");
  ok(library_traps(), "attached again, a trap is a trap");
  ok(overflows(), "and so is a stack overflow");
  return NULL;
}

int main(void) {
  host_init();
  host_register_code(&wasm_recurse);
  void *(*const cases[])(void *) = {with_none, with_a_big_one, with_a_small_one, changed_meanwhile,
                                  disabled_meanwhile};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    pthread_t thread;
    must(pthread_create(&thread, NULL, cases[i], NULL) == 0);
    must(pthread_join(thread, NULL) == 0);
  }
  return tap_done();
}
