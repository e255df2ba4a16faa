/* Another thread sends signals faster than they can be delivered, to a host that has handlers for them. They find each
 * handler with its signal blocked, so that they do not pile up until the alternate stack is full; between them, traps
 * are traps, and none of them leaves a signal blocked. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

enum { SIGNALS_SENT = 20000, TRAPS = 2000 };

static int signals[] = {SIGSEGV, SIGFPE};
static volatile int stop;
static volatile unsigned long received;

static void count(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  received++;
}

static void *send(void *receiver) {
  for (int i = 0; i < SIGNALS_SENT || !__atomic_load_n(&stop, __ATOMIC_ACQUIRE); i++) {
    must(pthread_kill(*(pthread_t *)receiver, signals[i % 2]) == 0);
  }
  return NULL;
}

/* The receiver goes on trapping while the burst lasts, and takes what is left of it. */
static void trap_in_a_burst(void *flags) {
  install_handler(SIGSEGV, count, *(const int *)flags);
  install_handler(SIGFPE, count, *(const int *)flags);
  host_init();
  host_register_code(&wasm_load);
  void *const page = inaccessible_page();
  pthread_t self = pthread_self(), sender;
  must(pthread_create(&sender, NULL, send, &self) == 0);
  int trapped = 0;
  for (int i = 0; i < TRAPS; i++) {
    wasmtrap_trap_t trap;
    trapped += host_load(&wasm_load, page, &trap) == WASMTRAP_TRAPPED && trap.fault_address == address_of(page);
  }
  __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
  must(pthread_join(sender, NULL) == 0);
  same(trapped, TRAPS, "every trap in the burst is one");
  ok(received > 0, "%lu of the signals reached the host", received);
  sigset_t now;
  must(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
  ok(!sigismember(&now, SIGSEGV) && !sigismember(&now, SIGFPE), "neither is blocked afterwards");
}

static void die_in_a_burst(void *unused) {
  (void)unused;
  signals[1] = signals[0];
  host_init();
  pthread_t self = pthread_self(), sender;
  must(pthread_create(&sender, NULL, send, &self) == 0);
  for (;;) sched_yield();
}

int main(void) {
  static int plain = 0, on_stack = SA_ONSTACK;
  child_passes(trap_in_a_burst, &plain, "handlers that run on the interrupted stack");
  child_passes(trap_in_a_burst, &on_stack, "handlers that run on the alternate stack");
  child_dies_of(SIGSEGV, die_in_a_burst, NULL, "without a handler, as without the library");
  return tap_done();
}
