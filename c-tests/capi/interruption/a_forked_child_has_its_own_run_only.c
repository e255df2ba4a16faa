/* In a child that was forked within a run, that run can be interrupted as before; those of the threads that the child
 * does not have are over. The parent's are as they were. */
#include <string.h>
#include <unistd.h>

#include "process.h"
#include "runs.h"

static wasmtrap_run_t own;
static running_t other;
static wasm_access_t own_state, other_state;

static void *interrupt_own(void *unused) {
  wait_for(&own_state.address, 1);
  same(wasmtrap_interrupt(own, 41, 1), WASMTRAP_OK, "the child's run is interrupted");
  return unused;
}

static void fork_and_spin(void *unused) {
  (void)unused;
  const pid_t child = fork();
  must(child >= 0);
  if (child != 0) {
    const int status = child_wait(child);
    ok(status == 0, "the child: %s", child_end_in_words(status));
    return;
  }
  tap_become_child(NULL);
  same(wasmtrap_interrupt(other.run, 41, 1), WASMTRAP_ERR_NOT_FOUND, "the other thread's run is over in the child");
  pthread_t thread;
  must(pthread_create(&thread, NULL, interrupt_own, NULL) == 0);
  wasm_spin.function(&own_state);
}

int main(void) {
  runs_init();
  host_register_code(&wasm_spin);
  memset(&other, 0, sizeof other);
  other.function = wasm_spin.function;
  other.argument = &other_state;
  running_start(&other);
  wait_for(&other_state.address, 1);
  own = run_open();
  const pid_t parent = getpid();
  wasmtrap_trap_t trap = host_new_trap();
  const wasmtrap_status_t status = wasmtrap_run_call(own, fork_and_spin, NULL, &trap);
  if (getpid() != parent) {
    interrupted_with(status, &trap, 41, 1, "the child's run ended by it");
    _exit(tap_child_status());
  }
  same(status, WASMTRAP_OK, "the parent's run has ended by itself");
  same(wasmtrap_interrupt(other.run, 42, 2), WASMTRAP_OK, "in the parent the other run is there");
  running_join(&other);
  interrupted_with(other.status, &other.trap, 42, 2, "... and ends");
  return tap_done();
}
