/* Garbage collectors stop threads by a signal and take the stack pointer in its handler for the end of what the thread
 * holds. So that signal must not be delivered while the thread is on its alternate stack: neither in a trap, nor in the
 * host's own faults where its handlers allow for that. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "context.h"
#include "handlers.h"
#include "host.h"
#include "process.h"

enum { STOPS = 300, STACK_SIZE = 256 * 1024 };

static unsigned char *stack;
static volatile int stops, elsewhere;
static int enough;
static void *page;

static void stop(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  const unsigned char here = 0;
  if (address_of(&here) - address_of(stack) >= STACK_SIZE) elsewhere++;
  __atomic_add_fetch(&stops, 1, __ATOMIC_RELEASE);
}

static void *trap(void *unused) {
  (void)unused;
  for (wasmtrap_trap_t trap; !__atomic_load_n(&enough, __ATOMIC_ACQUIRE);) {
    if (host_load(&wasm_load, page, &trap) != WASMTRAP_TRAPPED) return NULL;
  }
  return &enough;
}

/* The host's own faults, outside of any protected call. */
static void *fault(void *unused) {
  (void)unused;
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  while (!__atomic_load_n(&enough, __ATOMIC_ACQUIRE)) {
    wasm_access_t access = {address_of(page), 0};
    wasm_load.function(&access);
    if (access.value != WASM_RED_ZONE_INTACT) return NULL;
  }
  return &enough;
}

static void mend(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  static const uint64_t readable = WASM_RED_ZONE_INTACT;
  context_load_from(context, &readable);
}

/* A handler of the host's that has every signal blocked while it runs. */
static void install_masking_handler(int flags) {
  struct sigaction action = {0};
  action.sa_sigaction = mend;
  action.sa_flags = SA_SIGINFO | flags;
  sigfillset(&action.sa_mask);
  must(sigaction(SIGSEGV, &action, NULL) == 0);
  must(sigaction(SIGBUS, &action, NULL) == 0);
}

static void stop_while(void *(*work)(void *)) {
  install_handler(SIGUSR1, stop, SA_RESTART);
  host_init();
  host_register_code(&wasm_load);
  page = inaccessible_page();
  stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(stack != MAP_FAILED);
  pthread_attr_t attributes;
  must(pthread_attr_init(&attributes) == 0);
  must(pthread_attr_setstack(&attributes, stack, STACK_SIZE) == 0);
  pthread_t thread;
  must(pthread_create(&thread, &attributes, work, NULL) == 0);
  for (int sent = 1; sent <= STOPS; sent++) {
    must(pthread_kill(thread, SIGUSR1) == 0);
    while (__atomic_load_n(&stops, __ATOMIC_ACQUIRE) < sent) sched_yield();
  }
  __atomic_store_n(&enough, 1, __ATOMIC_RELEASE);
  void *good = NULL;
  must(pthread_join(thread, &good) == 0);
  ok(good != NULL, "each fault came out as it should");
  same(stops, STOPS, "each stop signal arrived");
  same(elsewhere, 0, "on the thread's own stack");
}

static void stop_traps(void *flags) {
  if (flags != NULL) install_masking_handler(*(int *)flags);
  stop_while(trap);
}

static void stop_faults(void *flags) {
  install_masking_handler(*(int *)flags);
  stop_while(fault);
}

int main(void) {
  static int plain = 0, on_stack = SA_ONSTACK;
  child_passes(stop_traps, NULL, "in traps");
  child_passes(stop_traps, &plain, "in traps over a host's handler");
  child_passes(stop_traps, &on_stack, "in traps over a host's handler on the alternate stack");
  child_passes(stop_faults, &plain, "in faults of the host's, with its handler on the interrupted stack");
  child_passes(stop_faults, &on_stack, "in faults of the host's, with its handler on the alternate stack");
  return tap_done();
}
