/* What WAMR does not take goes on as if the library were not there: the process dies where it faulted, of that signal;
 * a handler that was there before hears of it once, however many threads WAMR has prepared. A signal that no fault made
 * is no trap, whatever its si_addr. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "process.h"
#include "tap.h"
#include "wamr_host.h"
#include "wasmtrap.h"

static volatile int *volatile nowhere = (int *)64;
static sigjmp_buf way_out;
static volatile sig_atomic_t heard;
static void *volatile heard_address;

static void enter(wasm_exec_env_t env, int32_t what) {
  (void)env;
  if (what == 0) *nowhere = 1;
  /* A non-canonical address: the kernel gives 0 as the address of the fault. */
  if (what == 1) *(volatile int *)(uintptr_t)0xdead000000000000 = 1;
}

static void *prepare(void *argument) {
  (void)argument;
  must(wasm_runtime_init_thread_env());
  wasm_runtime_destroy_thread_env();
  return NULL;
}

static void prepare_another_thread(void) {
  pthread_t thread;
  must(pthread_create(&thread, NULL, prepare, NULL) == 0 && pthread_join(thread, NULL) == 0);
}

static void crash(void *what) {
  runtime_begin(enter);
  prepare_another_thread();
  guest_t guest = guest_new("caller");
  const char *words = guest_call(&guest, "call_out", *(int *)what);
  ok(0, "the guest returned: %s", words != NULL ? words : "no trap");
}

static void crash_outside(void *argument) {
  (void)argument;
  runtime_begin(enter);
  *nowhere = 1;
}

static void hear(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  heard++;
  heard_address = info->si_addr;
  siglongjmp(way_out, 1);
}

static void is_heard(void *argument) {
  struct sigaction action;
  (void)argument;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = hear;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  must(sigaction(SIGSEGV, &action, NULL) == 0);
  runtime_begin(enter);
  prepare_another_thread();
  if (sigsetjmp(way_out, 1) == 0) *nowhere = 1;
  same(heard, 1, "the handler that was there before hears of a crash");
  same(address_of(heard_address), address_of(nowhere), "and of its address");
  if (sigsetjmp(way_out, 1) == 0) kill(getpid(), SIGSEGV);
  same(heard, 2, "it hears of a signal that was sent");
}

int main(void) {
  int at_an_address = 0, without_one = 1;
  child_dies_of(SIGSEGV, crash, &at_an_address, "a host function's wild pointer kills");
#if defined(__x86_64__)
  child_dies_of(SIGSEGV, crash, &without_one, "a host function's non-canonical pointer kills");
#else
  (void)without_one;
#endif
  child_dies_of(SIGSEGV, crash_outside, NULL, "a crash outside of WebAssembly kills");
  child_passes(is_heard, NULL, "the host's own handler");
  return tap_done();
}
