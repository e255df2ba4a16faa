/* Compiled code that compares its stack pointer with wasmtrap_stack_limit calls imports at each level, as deep as it
 * can, and none of them overflows: on the main thread, under a limit that has been lowered, on threads with large and
 * small stacks, on a stack that the thread was switched to. Hosts whose imports need more say so. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#if !defined(_WIN32)
#include <sys/resource.h>
#endif

#include "host.h"
#include "process.h"

static volatile char sink;

static void print(void) {
  char text[128];
  snprintf(text, sizeof text, "%g %s %Lf %d", 1.5e300, "text", 1e100L, 7);
  sink = text[3];
}

static void copy(void) {
  static char from[4096], to[4096];
  memcpy(to, from, sizeof to);
  sink = to[17];
}

static void quarter_of_a_megabyte(void) {
  volatile char room[250 * 1024];
  for (size_t i = sizeof room; i-- != 0;) room[i] = 1;
  sink = room[100];
}

typedef struct guest_t {
  void (*import)(void);
  uintptr_t limit;
  size_t depth;
} guest_t;

/* As an engine's code does it: the comparison first, for all of the frame. */
__attribute__((noinline)) static void recurse(guest_t *guest) {
  volatile char frame[200];
  if ((uintptr_t)frame - 64 < guest->limit) wasmtrap_raise(WASMTRAP_CODE_STACK_OVERFLOW, 0);
  frame[0] = 1;
  guest->depth++;
  guest->import();
  if (guest->depth != SIZE_MAX) recurse(guest);
  frame[1] = 1;
}

static void run(void *guest) { recurse(guest); }

static void deep(void (*import)(void), size_t reserve, const char *name) {
  guest_t guest = {import, 0, 0};
  same(wasmtrap_stack_limit(reserve, &guest.limit), WASMTRAP_OK, "the limit: %s", name);
  wasmtrap_trap_t trap = host_new_trap();
  trapped_with(wasmtrap_call(run, &guest, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, name);
  ok(guest.depth > 50, "... after %zu calls", guest.depth);
}

static void with_defaults(const char *name) {
  deep(print, 0, name);
  deep(copy, 0, name);
  deep(print, 16 * 1024, name);
}

static void *on_a_thread(void *name) {
  with_defaults(name);
  uintptr_t with = 0, without = 0;
  must(wasmtrap_stack_limit(16 * 1024, &with) == WASMTRAP_OK && wasmtrap_stack_limit(0, &without) == WASMTRAP_OK);
  same(with - without, 16 * 1024, "the engine's own part is added");
  return NULL;
}

static void *with_large_imports(void *unused) {
  (void)unused;
  wasmtrap_set_stack_reserve(256 * 1024);
  deep(quarter_of_a_megabyte, 0, "imports that need more");
  wasmtrap_set_stack_reserve(WASMTRAP_DEFAULT_STACK_RESERVE);
  deep(quarter_of_a_megabyte, 256 * 1024 - WASMTRAP_DEFAULT_STACK_RESERVE, "the same by the engine's word");
  return NULL;
}

static void thread_with(size_t stack_size, void *(*function)(void *), const char *name) {
  pthread_attr_t attributes;
  must(pthread_attr_init(&attributes) == 0);
  must(pthread_attr_setstacksize(&attributes, stack_size) == 0);
  pthread_t thread;
  must(pthread_create(&thread, &attributes, function, (void *)(uintptr_t)name) == 0);
  must(pthread_join(thread, NULL) == 0);
  pthread_attr_destroy(&attributes);
}

#if !defined(__APPLE__) && !defined(_WIN32)
static void lowered(void *unused) {
  (void)unused;
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  struct rlimit limit;
  must(getrlimit(RLIMIT_STACK, &limit) == 0);
  limit.rlim_cur = (rlim_t)1 << 20;
  must(setrlimit(RLIMIT_STACK, &limit) == 0);
  with_defaults("a limit that was lowered after attaching");
}

/* The host's guard takes a megabyte of the stack after the thread has been attached. */
static void guarded(void *unused) {
  (void)unused;
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  pthread_attr_t attributes;
  void *low;
  size_t size;
  must(pthread_getattr_np(pthread_self(), &attributes) == 0);
  must(pthread_attr_getstack(&attributes, &low, &size) == 0);
  must(mmap(low, (size_t)1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == low);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  with_defaults("a guard of the host's, and attached again");
}
#endif

int main(void) {
  host_init();
  with_defaults("the main thread");
  thread_with((size_t)1 << 20, on_a_thread, "a thread with a stack of a megabyte");
  thread_with(128 * 1024, on_a_thread, "a thread with a stack of 128 KiB");
  thread_with((size_t)1 << 20, with_large_imports, NULL);
#if !defined(__APPLE__) && !defined(_WIN32)
#if !EMULATED
  child_passes(lowered, NULL, "the main thread, under a lower limit");
#endif
  child_passes(guarded, NULL, "the main thread, with a guard of the host's");
#endif

  uintptr_t own = 0, given = 0;
  must(wasmtrap_stack_limit(0, &own) == WASMTRAP_OK);
  /* The bounds that count are those of the stack that the thread was given. */
  const unsigned char local = 0;
  const uintptr_t here = (uintptr_t)&local;
  wasmtrap_stack_t stack = {0};
  stack.struct_size = sizeof stack;
  stack.low = (void *)(here - 200 * 1024);
  stack.high = (void *)(here + 1024);
  must(wasmtrap_chain_attach(NULL, &stack) == WASMTRAP_OK);
  same(wasmtrap_stack_limit(0, &given), WASMTRAP_OK, "on a stack that the thread was switched to");
  same(given, (uintptr_t)stack.low + WASMTRAP_DEFAULT_STACK_RESERVE, "... the limit is by its bounds");
  must(wasmtrap_chain_attach(NULL, NULL) == WASMTRAP_OK);
  must(wasmtrap_stack_limit(0, &given) == WASMTRAP_OK);
  same(given, own, "back on its own it is as before");
  return tap_done();
}
