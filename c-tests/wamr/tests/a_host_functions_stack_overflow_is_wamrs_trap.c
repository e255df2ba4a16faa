/* WAMR guards the end of each thread's stack. A host function that runs into it is a trap of WAMR's, on the main thread
 * and on another one: the handler has a stack of its own. A host function that touches guest memory out of bounds is
 * one as well. */
#include <pthread.h>

#include "tap.h"
#include "wamr_host.h"

static volatile int deep, endless = 1;
static char *volatile guest_memory;

static int recurse(volatile char *further_out) {
  volatile char frame[512];
  frame[0] = *further_out;
  deep++;
  return endless ? recurse(frame) + frame[0] : 0;
}

static void enter(wasm_exec_env_t env, int32_t what) {
  volatile char first = 0;
  (void)env;
  if (what == 0) recurse(&first);
  if (what == 1) guest_memory[1 << 20] = 1;
}

static void *overflows(void *argument) {
  guest_t guest = guest_new("caller");
  for (int i = 0; i < 3; i++) {
    deep = 0;
    same_text(guest_call(&guest, "call_out", 0), STACK_OVERFLOW, "%s: overflow %d", (const char *)argument, i);
    ok(deep > 50, "it was one");
  }
  guest_memory = wasm_runtime_addr_app_to_native(guest.instance, 0);
  same_text(guest_call(&guest, "call_out", 1), OUT_OF_BOUNDS, "an access of the host's own is out of bounds");
  ok(guest_call(&guest, "call_out", 2) == NULL, "the guest can be called after that");
  guest_delete(&guest);
  return NULL;
}

static void *other_thread(void *argument) {
  must(wasm_runtime_init_thread_env());
  overflows(argument);
  wasm_runtime_destroy_thread_env();
  return NULL;
}

int main(void) {
  pthread_t thread;
  runtime_begin(enter);
  overflows("the main thread");
  for (int i = 0; i < 2; i++) {
    must(pthread_create(&thread, NULL, other_thread, "another thread") == 0);
    must(pthread_join(thread, NULL) == 0);
  }
  runtime_end();
  return tap_done();
}
