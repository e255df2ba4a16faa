/* A fault whose program counter is in no registered range kills the process, at the place of the fault. */
#include <signal.h>

#include "host.h"
#include "process.h"

static void run(void *code) {
  host_init();
  /* A neighbour is registered, and the memory is. */
  host_register_code(code == &wasm_load ? &wasm_store : &wasm_load);
  void *const page = inaccessible_page();
  host_register_region(page, page_size(), WASMTRAP_CODE_NONE);
  wasm_access_t access = {address_of(page), 0};
  wasmtrap_trap_t trap;
  host_call(code, &access, &trap);
}

static void dies(int signal, const wasm_code_t *code, const char *name) {
  child_dies_at(signal, wasm_fault_pc(code), run, (void *)(uintptr_t)code, name);
}

int main(void) {
  dies(SIGSEGV, &wasm_load, "a load");
  dies(SIGSEGV, &wasm_store, "a store");
  dies(SIGILL, &wasm_unreachable, "an illegal instruction");
#if defined(__x86_64__)
  dies(SIGFPE, &wasm_divide, "a division");
#endif
  return tap_done();
}
