/* A crash reporter with handlers of its own, installed before the library, after it, or after the engine that is
 * adopted then, hears of none of the engine's traps, and of each crash. */
#include <signal.h>

#include "context.h"
#include "fake_engine.h"
#include "handlers.h"
#include "host.h"
#include "process.h"

static volatile int reports;
static struct sigaction below[NSIG];

static void reporter(int signal, siginfo_t *info, void *context) {
  const size_t pc = context_pc(context);
  reports++;
  pass_on(&below[signal], signal, info, context);
  /* Nobody has taken it. */
  if (context_pc(context) == pc) make_accessible(info->si_addr);
}

/* For who is below it there is nobody. */
static void nothing(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
}

static void install_reporter(void) {
  below[SIGSEGV] = install_handler(SIGSEGV, reporter, SA_ONSTACK);
  below[SIGBUS] = install_handler(SIGBUS, reporter, SA_ONSTACK);
}

/* When the reporter comes. */
static void comes(void *when_in) {
  const int when = *(const int *)when_in;
  install_handler(SIGSEGV, nothing, SA_ONSTACK);
  install_handler(SIGBUS, nothing, SA_ONSTACK);
  if (when == 0) install_reporter();
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  if (when == 1) install_reporter();
  engines[0].flags = SA_ONSTACK;
  uint64_t id;
  same(wasmtrap_adopt_begin(0), WASMTRAP_OK, "wasmtrap_adopt_begin");
  engine_install(0);
  same(wasmtrap_adopt_end(0, &id), WASMTRAP_OK, "wasmtrap_adopt_end");
  if (when == 2) {
    install_reporter();
    same(wasmtrap_rearm(), WASMTRAP_OK, "wasmtrap_rearm");
  }
  int good = 0;
  for (int i = 0; i < 50; i++) good += engine_traps(0);
  same(good, 50, "the engine's traps");
  for (int i = 0; i < 50; i++) good += library_traps();
  same(good, 100, "and the library's");
  same(reports, 0, "none of which the reporter hears of");
  for (int i = 1; i <= 3; i++) {
    wasm_access_t access = {address_of(inaccessible_page()), 1};
    wasm_load.function(&access);
    same(reports, i, "crash %d it does", i);
  }
}

int main(void) {
  static const char *const names[] = {"before the library", "between the library and the engine", "after the engine"};
  for (int when = 0; when < 3; when++) child_passes(comes, &when, names[when]);
  return tap_done();
}
