/* What goes wrong while a thread is attached leaves nothing behind, and what changes meanwhile is not missed. The
 * library changes the thread's signal mask by pthread_sigmask, which this program has in the C library's place: that is
 * the moment. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host.h"
#include "mapping.h"

/* What happens first at this thread's next call; what it returns, if that is not 0, is the call's error. */
static __thread int (*at_next_call)(void);

int pthread_sigmask(int how, const sigset_t *set, sigset_t *before) {
  int (*const happens)(void) = at_next_call;
  at_next_call = NULL;
  const int error = happens != NULL ? happens() : 0;
  if (error != 0) return error;
  /* The kernel knows 64 signals. */
  return syscall(SYS_rt_sigprocmask, how, set, before, 8) == 0 ? 0 : errno;
}

static stack_t now(void) {
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0);
  return stack;
}

static unsigned char hosts[256 * 1024];
/* The alternate stack that the thread had been given when something happened. */
static const void *given;

static int it_fails(void) {
  given = now().ss_sp;
  return EINVAL;
}

/* Somebody's handler for the thread's start, say. */
static int it_fails_under_another_stack(void) {
  const stack_t stack = {.ss_sp = hosts, .ss_size = sizeof hosts};
  given = now().ss_sp;
  must(sigaltstack(&stack, NULL) == 0);
  return EINVAL;
}

static void attach_fails(int (*why)(void)) {
  const unsigned long threads = attached_threads();
  at_next_call = why;
  given = NULL;
  same(wasmtrap_thread_attach(), WASMTRAP_ERR_SYSTEM, "the signal mask cannot be changed: refused");
  contains(wasmtrap_last_error(), "pthread_sigmask", "the sentence names the call");
  ok(at_next_call == NULL && given != NULL, "it was asked");
  same(attached_threads(), threads, "no thread is attached");
}

static void *attached_after_all(void *unused) {
  (void)unused;
  attach_fails(it_fails);
  ok((now().ss_flags & SS_DISABLE) != 0, "there is no alternate stack, as before");
  ok(!is_mapped(given), "the library's is freed");
  ok(library_traps(), "the next attempt succeeds");
  return NULL;
}

/* The library's stack is kept as long as somebody sits on it, who may mean to put it back. */
static void *covered(void *unused) {
  (void)unused;
  attach_fails(it_fails_under_another_stack);
  ok(now().ss_sp == hosts, "the alternate stack that came meanwhile is in place");
  ok(library_traps(), "the next attempt succeeds");
  return NULL;
}

static void *open_one_with_breakpoints(void *unused) {
  (void)unused;
  const wasmtrap_options_t options = {.struct_size = sizeof options, .fault_kinds = HOST_ALL_KINDS};
  const wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = "late", .options = &options};
  wasmtrap_client_t client = 0;
  must(wasmtrap_client_open(&desc, &client) == WASMTRAP_OK);
  return NULL;
}

static int a_client_comes(void) {
  pthread_t thread;
  must(pthread_create(&thread, NULL, open_one_with_breakpoints, NULL) == 0 && pthread_join(thread, NULL) == 0);
  return 0;
}

static void *with_all_signals_blocked(void *unused) {
  (void)unused;
  sigset_t all, blocked;
  sigfillset(&all);
  must(pthread_sigmask(SIG_SETMASK, &all, NULL) == 0);
  at_next_call = a_client_comes;
  same(wasmtrap_thread_attach(), WASMTRAP_OK, "attached while a client comes that takes breakpoints, too");
  ok(at_next_call == NULL, "it came");
  sigemptyset(&blocked);
  must(pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0);
  ok(sigismember(&blocked, SIGSEGV) == 0 && sigismember(&blocked, SIGUSR1) == 1, "memory faults are not blocked");
  ok(sigismember(&blocked, SIGTRAP) == 0, "and neither are breakpoints");
  uint32_t found = 1;
  ok(wasmtrap_check(&found) == WASMTRAP_OK && found == 0, "nothing stands in the way of traps");
  return NULL;
}

static void on_a_thread(void *(*function)(void *)) {
  pthread_t thread;
  must(pthread_create(&thread, NULL, function, NULL) == 0);
  must(pthread_join(thread, NULL) == 0);
}

int main(void) {
  host_init();
  on_a_thread(attached_after_all);
  on_a_thread(covered);
  ok(given != NULL && !is_mapped(given), "at the thread's end the library's stack is freed");
  on_a_thread(with_all_signals_blocked);
  return tap_done();
}
