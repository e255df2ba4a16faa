/* CPython's faulthandler, enabled after the library: a handler without SA_SIGINFO, for which the kernel's frame does
 * not say what it is for, puts back what it found and raises the signal from inside. A trap is a trap all the same;
 * what such a handler raises when it has interrupted host code ends the process. */
#include <signal.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static struct sigaction before;

static void step_back_and_raise(int signal) {
  sigaction(signal, &before, NULL);
  raise(signal);
}

static void bark(int signal) {
  (void)signal;
  raise(SIGSEGV);
}

static void install(int signal, void (*handler)(int), struct sigaction *earlier) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_NODEFER};
  must(sigaction(signal, &action, earlier) == 0);
}

static void trap(void *unused) {
  (void)unused;
  host_init();
  host_register_code(&wasm_load);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  install(SIGSEGV, step_back_and_raise, &before);
  void *const page = inaccessible_page();
  for (int i = 0; i < 3; i++) {
    wasmtrap_trap_t record;
    same(host_load(&wasm_load, page, &record), WASMTRAP_TRAPPED, "a trap is a trap");
    same(record.fault_address, address_of(page), "of the fault");
  }
}

static void wake_the_dog(void *unused) {
  (void)unused;
  raise(SIGUSR1);
}

static void be_ended(void *unused) {
  (void)unused;
  host_init();
  host_register_code(&wasm_call_import);
  install(SIGUSR1, bark, NULL);
  wasm_import_t import = {wake_the_dog, NULL};
  wasmtrap_trap_t record;
  host_call(&wasm_call_import, &import, &record);
}

int main(void) {
  child_passes(trap, NULL, "in WebAssembly");
  child_dies_of(SIGSEGV, be_ended, NULL, "in host code");
  return tap_done();
}
