/* What is inaccessible right below a stack is its guard, whoever made it: a host that puts one at the end of the main
 * thread's stack, before or after the thread is attached (Mono, HotSpot), one below a stack that it gives to a thread
 * (pthread_attr_setstack), one inside of a stack. Running into it is "call stack exhausted" in a strict range, too. */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "host.h"
#include "process.h"

static void overflow(const wasm_code_t *code, const char *name) {
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(code, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, name);
  same(trap.flags & (WASMTRAP_HAS_STACK_GUARD | WASMTRAP_HAS_REGION), WASMTRAP_HAS_STACK_GUARD, "... in the guard");
}

static void overflows(const char *name) {
  for (int i = 0; i < 2; i++) {
    overflow(&wasm_recurse, name);
    overflow(&wasm_recurse_big, name);
  }
}

static void register_code(void) {
  host_init();
  host_register_strict_code(&wasm_recurse);
  host_register_strict_code(&wasm_recurse_big);
  host_register_strict_code(&wasm_load);
}

/* As Mono does it: over the lowest bytes that the thread library tells of. */
static void guard_main_stack(size_t above, size_t size) {
  pthread_attr_t attributes;
  void *low;
  size_t stack_size;
  must(pthread_getattr_np(pthread_self(), &attributes) == 0);
  must(pthread_attr_getstack(&attributes, &low, &stack_size) == 0);
  void *const wanted = (unsigned char *)low + above;
  must(mmap(wanted, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == wanted);
}

static void before_attaching(void *unused) {
  (void)unused;
  register_code();
  guard_main_stack(0, 8 * page_size());
  overflows("a guard of the host's on the main stack, made before");
}

static void after_attaching(void *unused) {
  (void)unused;
  register_code();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  guard_main_stack(0, 8 * page_size());
  overflows("a guard of the host's on the main stack, made after");
}

static void high_up(void *unused) {
  (void)unused;
  register_code();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  guard_main_stack((size_t)1 << 20, 64 * page_size());
  overflows("a guard well inside of the main stack");
}

/* A thread's stack of the host's own, above whatever lies below it. If there is to be nothing, it goes when all is
 * mapped that could come to lie there. */
static unsigned char *to_be_unmapped;
static const size_t unmapped_size = (size_t)4 << 20;

static void *on_a_stack_of_the_hosts(void *name) {
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  if (to_be_unmapped != NULL) must(munmap(to_be_unmapped, unmapped_size) == 0);
  overflows(name);
  return NULL;
}

static void run_on(void *stack, size_t size, const char *name) {
  pthread_attr_t attributes;
  must(pthread_attr_init(&attributes) == 0);
  must(pthread_attr_setstack(&attributes, stack, size) == 0);
  pthread_t thread;
  must(pthread_create(&thread, &attributes, on_a_stack_of_the_hosts, (void *)(uintptr_t)name) == 0);
  must(pthread_join(thread, NULL) == 0);
  pthread_attr_destroy(&attributes);
}

static const size_t stack_size = 256 * 1024;

static unsigned char *memory_for_a_stack(size_t below) {
  unsigned char *const memory =
      mmap(NULL, below + stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(memory != MAP_FAILED);
  return memory;
}

static void below_a_given_stack(void *unused) {
  (void)unused;
  register_code();
  const size_t guards[] = {page_size(), 16 * page_size(), (size_t)4 << 20};
  for (size_t i = 0; i < sizeof guards / sizeof *guards; i++) {
    unsigned char *const memory = memory_for_a_stack(guards[i]);
    must(mprotect(memory, guards[i], PROT_NONE) == 0);
    run_on(memory + guards[i], stack_size, "a guard below a stack of the host's");
    must(munmap(memory, guards[i] + stack_size) == 0);
  }
  to_be_unmapped = memory_for_a_stack(unmapped_size);
  must(mprotect(to_be_unmapped, unmapped_size, PROT_NONE) == 0);
  run_on(to_be_unmapped + unmapped_size, stack_size, "nothing at all below it");
}

/* Far below, it is another's. */
static void *far_below(void *memory) {
  wasmtrap_trap_t trap;
  (void)host_load(&wasm_load, memory, &trap);
  return NULL;
}

static void wild_in_a_large_guard(void *unused) {
  (void)unused;
  register_code();
  const size_t guard = (size_t)64 << 20;
  unsigned char *const memory = memory_for_a_stack(guard);
  must(mprotect(memory, guard, PROT_NONE) == 0);
  pthread_attr_t attributes;
  must(pthread_attr_init(&attributes) == 0);
  must(pthread_attr_setstack(&attributes, memory + guard, stack_size) == 0);
  pthread_t thread;
  must(pthread_create(&thread, &attributes, far_below, memory + page_size()) == 0);
  must(pthread_join(thread, NULL) == 0);
}

int main(void) {
  child_passes(before_attaching, NULL, "a guard on the main stack, before attaching");
  child_passes(after_attaching, NULL, "a guard on the main stack, after attaching");
  child_passes(high_up, NULL, "a guard high up in the main stack");
  child_passes(below_a_given_stack, NULL, "a guard below a thread's stack");
  child_dies_of(PROTECTED_PAGE_SIGNAL, wild_in_a_large_guard, NULL,
                "a load 64 MiB below the stack, where nothing is accessible either");
  return tap_done();
}
