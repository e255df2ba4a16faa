/* The alternate stacks of the threads that a forked child does not have are not in its memory either; its own is. */
#include <pthread.h>
#include <signal.h>

#include "host.h"
#include "mapping.h"
#include "meeting.h"
#include "process.h"

enum { THREADS = 8 };

static meeting_t meeting = MEETING_OF(THREADS + 1);
static void *stacks[THREADS + 1];

static void *alternate_stack(void) {
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0 && (stack.ss_flags & SS_DISABLE) == 0);
  return stack.ss_sp;
}

static void *be_there(void *place) {
  *(void **)place = alternate_stack();
  meet(&meeting);
  meet(&meeting);
  return NULL;
}

static void look(void *unused) {
  (void)unused;
  ok(is_mapped(stacks[THREADS]), "its own alternate stack is there");
  for (size_t i = 0; i < THREADS; i++) ok(!is_mapped(stacks[i]), "that of another thread of its parent is not");
  ok(library_traps(), "a trap is a trap");
}

int main(void) {
  host_init();
  stacks[THREADS] = alternate_stack();
  pthread_t threads[THREADS];
  for (size_t i = 0; i < THREADS; i++) must(pthread_create(&threads[i], NULL, be_there, &stacks[i]) == 0);
  meet(&meeting);
  for (size_t i = 0; i < THREADS; i++) ok(is_mapped(stacks[i]), "the thread has its alternate stack");
  child_passes(look, NULL, "a child");
  for (size_t i = 0; i < THREADS; i++) ok(is_mapped(stacks[i]), "the thread still has it");
  meet(&meeting);
  for (size_t i = 0; i < THREADS; i++) must(pthread_join(threads[i], NULL) == 0);
  return tap_done();
}
