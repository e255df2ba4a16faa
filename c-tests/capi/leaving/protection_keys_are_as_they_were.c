/* A handler runs with the default rights by protection keys; after the trap the thread has its own again. */
#include "host.h"

#include <sys/mman.h>

#if defined(__linux__) && defined(__x86_64__) && defined(PKEY_DISABLE_WRITE)

static const unsigned rights[] = {0, PKEY_DISABLE_WRITE, PKEY_DISABLE_ACCESS};

int main(void) {
  const int key = pkey_alloc(0, 0);
  if (key < 0) return tap_skip_all("no protection keys on this machine");
  host_init();
  host_register_code(&wasm_load);
  void *const page = inaccessible_page();
  for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
    must(pkey_set(key, rights[i]) == 0);
    wasmtrap_trap_t trap;
    same(host_load(&wasm_load, page, &trap), WASMTRAP_TRAPPED, "a trap");
    same(pkey_get(key), rights[i], "the rights are as before");
  }
  return tap_done();
}
#else
int main(void) { return tap_skip_all("protection keys are looked at on Linux on x86-64, with glibc"); }
#endif
