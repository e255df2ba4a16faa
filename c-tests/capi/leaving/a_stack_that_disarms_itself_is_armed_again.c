/* SS_AUTODISARM: the kernel takes the alternate stack off the thread while a handler runs on it, and only the return
 * from the handler puts it back. A trap does not cost the host its stack. */
#include <errno.h>
#include <signal.h>

#include "host.h"

#if defined(__linux__)
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

int main(void) {
  enum { SIZE = 128 * 1024, TRAPS = 3 };
  static unsigned char memory[SIZE];
  stack_t stack = {0};
  stack.ss_sp = memory;
  stack.ss_size = SIZE;
  stack.ss_flags = (int)SS_AUTODISARM;
  if (sigaltstack(&stack, NULL) != 0) {
    must(EMULATED && errno == EINVAL);
    return tap_skip_all("this emulator does not know SS_AUTODISARM");
  }
  host_init();
  host_register_code(&wasm_load);
  void *const page = inaccessible_page();
  for (int i = 0; i < TRAPS; i++) {
    wasmtrap_trap_t trap;
    same(host_load(&wasm_load, page, &trap), WASMTRAP_TRAPPED, "a trap");
    stack_t now;
    must(sigaltstack(NULL, &now) == 0);
    same(address_of(now.ss_sp), address_of(memory), "the host's stack is in place");
    same((unsigned)now.ss_flags, SS_AUTODISARM, "and disarms itself as before");
  }
  return tap_done();
}
#else
int main(void) { return tap_skip_all("SS_AUTODISARM is Linux's"); }
#endif
