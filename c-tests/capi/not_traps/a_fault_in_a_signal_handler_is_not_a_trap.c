/* A signal handler of the host's that interrupts WebAssembly and crashes has crashed: its program counter is not in
 * registered code, though that of the code it interrupted is. */
#include <signal.h>
#include <sys/time.h>

#include "host.h"
#include "process.h"

static void on_alarm(int signal) {
  (void)signal;
  wasm_access_t access = {0, 0};
  wasm_load.function(&access);
}

static void run(void *unused) {
  (void)unused;
  host_init();
  host_register_code(&wasm_spin);
  must(signal(SIGVTALRM, on_alarm) != SIG_ERR);
  const struct itimerval soon = {{0, 0}, {0, 1000}};
  must(setitimer(ITIMER_VIRTUAL, &soon, NULL) == 0);
  static wasm_access_t spinning;
  wasmtrap_trap_t trap;
  host_call(&wasm_spin, &spinning, &trap);
}

int main(void) {
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), run, NULL, "a null pointer in a signal handler");
  return tap_done();
}
