/* An earlier handler that makes the page accessible and returns has the access happen, with all that the interrupted
 * code had in its registers and in its red zone. */
#include <signal.h>
#include <string.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static void mend(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  /* A handler has a stack frame, and fills it. */
  volatile unsigned char frame[4096];
  for (size_t i = 0; i < sizeof frame; i++) frame[i] = 0xff;
  make_accessible(info->si_addr);
}

static void run(void *flags) {
  install_handler(SIGSEGV, mend, *(const int *)flags);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load_in_leaf.function(&access);
  same(access.value, WASM_RED_ZONE_INTACT, "outside of a protected call");

  /* Registered, but not for this instruction. */
  const wasmtrap_site_t site = {0, WASMTRAP_CODE_UNREACHABLE};
  host_register_code_with_sites(&wasm_load_in_leaf, &site, 1, 0);
  access = (wasm_access_t){address_of(inaccessible_page()), 0};
  wasmtrap_trap_t trap;
  same(host_call(&wasm_load_in_leaf, &access, &trap), WASMTRAP_OK, "in WebAssembly, at no trap site");
  same(access.value, WASM_RED_ZONE_INTACT, "all is there");
}

int main(void) {
  static int plain = 0, on_stack = SA_ONSTACK;
  child_passes(run, &plain, "a handler on the interrupted stack");
  child_passes(run, &on_stack, "a handler on the alternate stack");
  return tap_done();
}
