/* The same on other threads: with the default stack, with the smallest that WebAssembly can live on, with a large guard
 * and on a stack that the host has laid out itself. */
#include <pthread.h>
#include <sys/mman.h>

#include "host.h"

static void *overflow(void *name) {
  for (int i = 0; i < 3; i++) {
    for (int big = 0; big < 2; big++) {
      const wasm_code_t *const code = big ? &wasm_recurse_big : &wasm_recurse;
      wasm_access_t access = {0, 0};
      wasmtrap_trap_t trap;
      trapped_with(host_call(code, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, name);
      ok((trap.flags & (WASMTRAP_HAS_STACK_GUARD | WASMTRAP_HAS_REGION)) != 0, "... in a guard area, %s frames",
         big ? "big" : "small");
    }
  }
  return NULL;
}

static void on_thread_with(size_t stack_size, size_t guard_size, void *stack, const char *name) {
  pthread_attr_t attributes;
  must(pthread_attr_init(&attributes) == 0);
  if (stack != NULL) {
    must(pthread_attr_setstack(&attributes, stack, stack_size) == 0);
  } else {
    if (stack_size != 0) must(pthread_attr_setstacksize(&attributes, stack_size) == 0);
    if (guard_size != 0) must(pthread_attr_setguardsize(&attributes, guard_size) == 0);
  }
  pthread_t thread;
  must(pthread_create(&thread, &attributes, overflow, (void *)(uintptr_t)name) == 0);
  must(pthread_join(thread, NULL) == 0);
  pthread_attr_destroy(&attributes);
}

int main(void) {
  host_init();
  host_register_code(&wasm_recurse);
  host_register_code(&wasm_recurse_big);
  on_thread_with(0, 0, NULL, "the default stack");
  on_thread_with(128 * 1024, 0, NULL, "a small stack");
  on_thread_with(1 << 20, 256 * 1024, NULL, "a large guard");

  /* A stack of the host's own has no guard of the thread library's: the host makes one and registers it. */
  const size_t size = 256 * 1024;
  unsigned char *const memory =
      mmap(NULL, size + page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(memory != MAP_FAILED);
  must(mprotect(memory, page_size(), PROT_NONE) == 0);
  wasmtrap_region_desc_t guard = {0};
  guard.struct_size = sizeof guard;
  guard.base = memory;
  guard.length = page_size();
  guard.code = WASMTRAP_CODE_STACK_OVERFLOW;
  uint64_t id = 0;
  must(wasmtrap_region_register(&guard, &id) == WASMTRAP_OK);
  on_thread_with(size, 0, memory + page_size(), "a stack of the host's own");
  return tap_done();
}
