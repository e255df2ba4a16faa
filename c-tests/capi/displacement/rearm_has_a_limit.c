/* Seven different handlers may be put underneath for a signal; the next one is WASMTRAP_ERR_LIMIT. Nothing has changed
 * then, and the handlers that are underneath do not count again. */
#include <signal.h>
#include <string.h>

#include "handlers.h"
#include "host.h"

enum { LIMIT = 7 };

static volatile int called;

#define HANDLER(number)                                                \
  static void handler_##number(int signal, siginfo_t *info, void *context) { \
    (void)signal;                                                      \
    (void)context;                                                     \
    called = number;                                                   \
    make_accessible(info->si_addr);                                    \
  }
HANDLER(1)
HANDLER(2)
HANDLER(3)
HANDLER(4)
HANDLER(5)
HANDLER(6)
HANDLER(7)
HANDLER(8)

static const signal_handler_t handlers[] = {handler_1, handler_2, handler_3, handler_4,
                                            handler_5, handler_6, handler_7, handler_8};

static int called_by_a_fault(void) {
  called = 0;
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
  return called;
}

int main(void) {
  host_init();
  for (int i = 0; i < LIMIT; i++) {
    install_handler(SIGSEGV, handlers[i], SA_ONSTACK);
    same(wasmtrap_rearm(), WASMTRAP_OK, "handler %d is put underneath", i + 1);
    same(called_by_a_fault(), i + 1, "and gets what is no trap");
    ok(library_traps(), "traps are traps");
  }
  for (int i = 0; i < 3 * LIMIT; i++) {
    install_handler(SIGSEGV, handlers[i % LIMIT], SA_ONSTACK);
    same(wasmtrap_rearm(), WASMTRAP_OK, "handler %d again", i % LIMIT + 1);
    same(called_by_a_fault(), i % LIMIT + 1, "and gets what is no trap");
  }

  install_handler(SIGSEGV, handlers[LIMIT], SA_ONSTACK);
  same(wasmtrap_rearm(), WASMTRAP_ERR_LIMIT, "the eighth is too many");
  ok(strlen(wasmtrap_last_error()) != 0, "%s", wasmtrap_last_error());
  uint32_t kinds = 0;
  must(wasmtrap_check(&kinds) == WASMTRAP_OK);
  same(kinds, WASMTRAP_FAULT_MEMORY, "it stays on top");
  same(called_by_a_fault(), LIMIT + 1, "and gets its faults");

  install_handler(SIGSEGV, handlers[0], SA_ONSTACK);
  same(wasmtrap_rearm(), WASMTRAP_OK, "one that was underneath before is still welcome");
  same(called_by_a_fault(), 1, "and gets what is no trap");
  ok(library_traps(), "traps are traps");
  return tap_done();
}
