/* The signal of interrupts that somebody else has taken, or that a thread blocks: wasmtrap_check tells, it is not sent
 * to a handler that is not the library's, and wasmtrap_rearm puts it right. */
#include <string.h>

#include "handlers.h"
#include "process.h"
#include "runs.h"

typedef void (*handler_t)(int);

static int strangers;

static void stranger(int signal) {
  (void)signal;
  strangers++;
}

static uint32_t check(void) {
  uint32_t found = ~0u;
  must(wasmtrap_check(&found) == WASMTRAP_OK);
  return found;
}

static int says(const char *part) {
  char text[8192];
  must(wasmtrap_describe(text, sizeof text, NULL) == WASMTRAP_OK);
  return strstr(text, part) != NULL;
}

static void take_it(handler_t handler) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  must(sigaction(RUNS_SIGNAL, &action, NULL) == 0);
}

/* What has the signal when a thread in registered code is interrupted. */
static void displaced(void *its_handler) {
  const handler_t handler = *(const handler_t *)its_handler;
  runs_init();
  host_register_code(&wasm_spin);
  same(check(), 0, "the library's handler is in place");
  ok(!says(", displaced by "), "and the description says nothing else");

  wasm_access_t spins = {0, 0};
  running_t running = {.function = wasm_spin.function, .argument = &spins};
  running_start(&running);
  wait_for(&spins.address, 1);
  take_it(handler);
  same(check(), WASMTRAP_CHECK_INTERRUPT_SIGNAL, "displaced: wasmtrap_check tells");
  ok(says(", displaced by "), "and the description");
  same(wasmtrap_interrupt(running.run, 7, 8), WASMTRAP_OK, "an interrupt pends");
  same(strangers, 0, "and is not sent to whoever has the signal now");
  same(wasmtrap_rearm(), WASMTRAP_OK, "wasmtrap_rearm");
  same(check(), 0, "puts it right");
  same(wasmtrap_interrupt(running.run, 1, 1), WASMTRAP_OK, "told once more");
  running_join(&running);
  interrupted_with(running.status, &running.trap, 7, 8, "the thread is interrupted, by the first of them");
  same(strangers, 0, "and by the library's handler alone");

  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  struct sigaction now;
  must(sigaction(RUNS_SIGNAL, NULL, &now) == 0);
  ok(now.sa_handler == handler, "wasmtrap_shutdown puts back what was found there");
}

static void blocked(void *unused) {
  (void)unused;
  runs_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  same(check(), 0, "not blocked");
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, RUNS_SIGNAL);
  must(pthread_sigmask(SIG_BLOCK, &mask, NULL) == 0);
  same(check(), WASMTRAP_CHECK_INTERRUPTS_BLOCKED, "blocked since: wasmtrap_check tells");
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  same(check(), 0, "wasmtrap_thread_attach mends it");
}

/* Not the library's to look after. */
static void owned_by_the_host(void *unused) {
  (void)unused;
  wasmtrap_options_t options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.flags = WASMTRAP_INIT_HOST_OWNS_SIGNALS | WASMTRAP_INIT_ALLOW_FALLBACK;
  options.interrupt_signal = RUNS_SIGNAL;
  take_it(stranger);
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  same(check(), 0, "a host that owns its handlers is told nothing of its own");
  must(wasmtrap_rearm() == WASMTRAP_OK);
  struct sigaction now;
  must(sigaction(RUNS_SIGNAL, NULL, &now) == 0);
  ok(now.sa_handler == stranger, "and keeps it");
}

int main(void) {
  handler_t another = stranger, none = SIG_DFL;
  child_passes(displaced, &another, "another handler");
  /* Which would end the process. */
  child_passes(displaced, &none, "the default action");
  child_passes(blocked, NULL, "a mask");
  child_passes(owned_by_the_host, NULL, "a host's own");
  return tap_done();
}
