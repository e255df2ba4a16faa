/* wasmtrap_shutdown and wasmtrap_init may follow each other as often as a host likes, with any options. */
#include <signal.h>

#include "handlers.h"
#include "host.h"

int main(void) {
  host_init();
  const size_t mappings = count_mappings();
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  int all_good = 1;
  for (int i = 0; i < 200; i++) {
    wasmtrap_options_t options = {0};
    options.struct_size = sizeof options;
    options.backend = i % 2 == 0 ? WASMTRAP_BACKEND_AUTO : WASMTRAP_BACKEND_SIGNALS;
    options.fault_kinds = WASMTRAP_FAULT_MEMORY | (i % 3 == 0 ? WASMTRAP_FAULT_ILLEGAL : 0);
    options.alternate_stack_size = i % 5 == 0 ? 65536 : 0;
    all_good = all_good && wasmtrap_init(&options) == WASMTRAP_OK;
    all_good = all_good && library_traps();
    all_good = all_good && (disposition_of(SIGILL).sa_handler == SIG_DFL) == (i % 3 != 0);
    all_good = all_good && wasmtrap_shutdown() == WASMTRAP_OK;
    all_good = all_good && disposition_of(SIGSEGV).sa_handler == SIG_DFL;
    if (!ok(all_good, "round %d", i)) break;
  }
  host_init();
  ok(count_mappings() <= mappings + 4, "memory does not grow with the rounds");
  return tap_done();
}
