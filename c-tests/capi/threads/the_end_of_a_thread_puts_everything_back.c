/* At a thread's end the library takes back what the thread got. Destructors of thread-specific data that run later may
 * still run WebAssembly that traps. They find no alternate signal stack: whoever owned the one that the thread had
 * before may have freed it by then. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "host.h"

static pthread_key_t early_key, late_key;
static volatile int rounds, trapped;
static volatile int stack_found;
static unsigned char own_stack[64 * 1024];
enum { DESTRUCTOR_ROUNDS = 4 };

/* Asks for another round as long as there is one, so that the last run comes after the library's destructor. */
static void on_thread_end(void *value) {
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0);
  stack_found = (stack.ss_flags & SS_DISABLE) == 0;
  rounds++;
  if (rounds < DESTRUCTOR_ROUNDS) must(pthread_setspecific(late_key, value) == 0);
}

static void trap_on_thread_end(void *value) {
  if (library_traps()) trapped++;
  rounds++;
  if (rounds < DESTRUCTOR_ROUNDS) must(pthread_setspecific(early_key, value) == 0);
}

static void *run_with_small_stack(void *unused) {
  (void)unused;
  const stack_t small = {.ss_sp = own_stack, .ss_size = smallest_signal_stack()};
  must(small.ss_size <= sizeof own_stack);
  must(sigaltstack(&small, NULL) == 0);
  must(pthread_setspecific(late_key, own_stack) == 0);
  ok(library_traps(), "the thread traps");
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0);
  ok(stack.ss_sp != own_stack, "on an alternate stack of the library's");
  return NULL;
}

static void *run_trapping_destructors(void *unused) {
  (void)unused;
  must(pthread_setspecific(early_key, own_stack) == 0);
  ok(library_traps(), "the thread traps");
  return NULL;
}

static void *detach_first(void *unused) {
  (void)unused;
  must(pthread_setspecific(early_key, own_stack) == 0);
  ok(library_traps(), "the thread traps");
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  return NULL;
}

static void run(void *(*function)(void *)) {
  rounds = trapped = 0;
  pthread_t thread;
  must(pthread_create(&thread, NULL, function, NULL) == 0);
  must(pthread_join(thread, NULL) == 0);
}

int main(void) {
  /* One key before the library has one, one after: whichever order the destructors run in, it is covered. */
  must(pthread_key_create(&early_key, trap_on_thread_end) == 0);
  host_init();
  ok(library_traps(), "the main thread traps");
  must(pthread_key_create(&late_key, on_thread_end) == 0);

  run(run_with_small_stack);
  same(rounds, DESTRUCTOR_ROUNDS, "destructors ran after the library's");
  ok(!stack_found, "and found no alternate stack");

  run(run_trapping_destructors);
  same(trapped, DESTRUCTOR_ROUNDS, "a trap in each round of destructors, the last ones included");
  run(detach_first);
  same(trapped, DESTRUCTOR_ROUNDS, "also where the thread was detached before");
  ok(library_traps(), "the main thread traps");
  return tap_done();
}
