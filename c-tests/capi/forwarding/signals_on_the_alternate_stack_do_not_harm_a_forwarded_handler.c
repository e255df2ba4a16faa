/* The kernel delivers a fault to the library on the alternate stack. An earlier handler without SA_ONSTACK runs on the
 * interrupted stack, so another signal with SA_ONSTACK gets the alternate stack from its top: what the first handler
 * was given must not be there. */
#include <signal.h>

#include "context.h"
#include "handlers.h"
#include "host.h"
#include "process.h"

static volatile int nested;
static void *page;

/* Leaves no byte of its part of the alternate stack as it was. */
static void overwrite(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  volatile unsigned char frame[12 * 1024];
  for (size_t i = 0; i < sizeof frame; i++) frame[i] = 0xee;
  nested++;
}

static void interrupted(int signal, siginfo_t *info, void *context) {
  const size_t pc = context_pc(context);
  for (int i = 0; i < 3; i++) raise(SIGUSR1);
  same(signal, SIGSEGV, "signal");
  same(info->si_code, INACCESSIBLE_PAGE_CODE, "its code after other signals");
  same(address_of(info->si_addr), address_of(page), "its address");
  same(context_pc(context), pc, "the interrupted program counter");
  same(pc, wasm_fault_pc(&wasm_load_in_leaf), "is that of the load");
  make_accessible(page);
}

static void trap_inside(int signal, siginfo_t *info, void *context) {
  (void)signal;
  const size_t pc = context_pc(context);
  /* The handler runs WebAssembly of its own, which traps: a signal again, if the mask lets it through. */
  if (address_of(info->si_addr) == address_of(page)) ok(library_traps(), "a trap inside of the handler is a trap");
  same(context_pc(context), pc, "the interrupted program counter is what it was");
  make_accessible(page);
}

static void run(void *trapping) {
  if (trapping != NULL) {
    install_handler(SIGSEGV, trap_inside, SA_NODEFER);
  } else {
    install_handler(SIGSEGV, interrupted, 0);
  }
  install_handler(SIGUSR1, overwrite, SA_ONSTACK);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  page = inaccessible_page();
  wasm_access_t access = {address_of(page), 0};
  wasm_load_in_leaf.function(&access);
  same(access.value, WASM_RED_ZONE_INTACT, "the load goes on with all that it had");
  same(nested, trapping != NULL ? 0 : 3, "the other signals were delivered");
}

int main(void) {
  static int trapping;
  child_passes(run, NULL, "signals with SA_ONSTACK inside of a handler without it");
  child_passes(run, &trapping, "traps inside of a handler without SA_ONSTACK, with SA_NODEFER");
  return tap_done();
}
