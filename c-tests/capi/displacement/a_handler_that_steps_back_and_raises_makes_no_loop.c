/*
 * CPython's faulthandler on top of the library: it prints, puts back the handler that it found, and raises the signal
 * again from inside of its own handler. What the library gets is first a signal that the process sent, then, when the
 * handler has returned, the fault itself.
 */
#include <signal.h>
#include <unistd.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

#if defined(__linux__)
#include <sys/syscall.h>
#endif

static volatile int printed;
static struct sigaction found[NSIG];

static void print_and_step_back(int signal, siginfo_t *info, void *context) {
  (void)info;
  (void)context;
  if (++printed > 10) _exit(20);
  sigaction(signal, &found[signal], NULL);
  raise(signal);
}

#if defined(__linux__)
/* The same by one whose own frame is as small as can be: the system call is made right below what the kernel pushed. */
static void step_back_and_raise_at_once(int signal, siginfo_t *info, void *context) {
  (void)info;
  (void)context;
  if (++printed > 10) _exit(20);
  sigaction(signal, &found[signal], NULL);
  syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
}

static void trap_displaced_by_a_small_one(void *unused) {
  (void)unused;
  host_init();
  found[SIGSEGV] = install_handler(SIGSEGV, step_back_and_raise_at_once, SA_NODEFER | SA_ONSTACK);
  ok(library_traps(), "a trap is a trap");
  same(printed, 1, "after it was raised");
}
#endif

static void install_on_top(void) {
  found[SIGSEGV] = install_handler(SIGSEGV, print_and_step_back, SA_NODEFER | SA_ONSTACK);
}

static void fault(void) {
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load_in_leaf.function(&access);
  same(access.value, WASM_RED_ZONE_INTACT, "the fault was mended");
}

static void crash_displaced(void *unused) {
  (void)unused;
  host_init();
  install_on_top();
  wasm_load.function(&(wasm_access_t){address_of(inaccessible_page()), 0});
}

static void crash_rearmed(void *unused) {
  (void)unused;
  host_init();
  install_on_top();
  must(wasmtrap_rearm() == WASMTRAP_OK);
  ok(library_traps(), "a trap is a trap");
  same(printed, 0, "and nothing is printed");
  wasm_load.function(&(wasm_access_t){address_of(inaccessible_page()), 0});
}

static void trap_displaced(void *unused) {
  (void)unused;
  host_init();
  install_on_top();
  ok(library_traps(), "a trap is a trap");
  same(printed, 1, "after a traceback was printed");
  ok(library_traps(), "and the next one, too");
  same(printed, 1, "without another traceback");
}

static void earlier_handler_displaced(void *unused) {
  (void)unused;
  install_handler(SIGSEGV, mending_handler, 0);
  host_init();
  install_on_top();
  fault();
  same(printed, 1, "a traceback was printed");
}

static void earlier_handler_rearmed(void *unused) {
  (void)unused;
  install_handler(SIGSEGV, mending_handler, 0);
  host_init();
  install_on_top();
  must(wasmtrap_rearm() == WASMTRAP_OK);
  fault();
  same(printed, 1, "a traceback was printed");
  ok(library_traps(), "a trap is a trap afterwards");
}

int main(void) {
  child_dies_of(SIGSEGV, crash_displaced, NULL, "on top, a crash is a crash");
  child_dies_of(SIGSEGV, crash_rearmed, NULL, "underneath, a crash is a crash");
  child_passes(trap_displaced, NULL, "on top, a trap is a trap");
#if defined(__linux__)
  child_passes(trap_displaced_by_a_small_one, NULL, "on top, with a small frame, a trap is a trap");
#endif
  child_passes(earlier_handler_displaced, NULL, "on top, an earlier handler gets the fault");
  child_passes(earlier_handler_rearmed, NULL, "underneath, an earlier handler gets the fault");
  return tap_done();
}
