/* wasmtrap_backend wants a place for its answer. */
#include "host.h"
#include "refusal.h"

int main(void) {
  host_init();
  remember_state();
  refused(wasmtrap_backend(NULL), WASMTRAP_ERR_INVALID_ARGUMENT, "backend", "NULL", "nowhere to put it");
  wasmtrap_backend_t backend = 99;
  same(wasmtrap_backend(&backend), WASMTRAP_OK, "with a place");
  same(backend, host_default_backend(), "it is there");
  return tap_done();
}
