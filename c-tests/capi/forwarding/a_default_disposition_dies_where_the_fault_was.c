/* Under SIG_DFL a fault that is no trap ends the process as if the library were not there: by the same signal, which
 * the kernel raises at the instruction that faulted, so that a core dump shows the true place. A signal that was sent
 * ends it, too. */
#include <signal.h>

#include "host.h"
#include "process.h"

static void fault(void *code) {
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  ((const wasm_code_t *)code)->function(&access);
}

static void fault_before_attaching(void *code) {
  host_init();
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  ((const wasm_code_t *)code)->function(&access);
}

static void send(void *signal) {
  host_init();
  raise(*(const int *)signal);
  tap_note("still alive");
}

static void fault_after_a_trap_in_a_call(void *unused) {
  (void)unused;
  host_init();
  host_register_code(&wasm_load);
  host_register_code(&wasm_call_import);
  void *const page = inaccessible_page();
  wasmtrap_trap_t trap;
  must(host_load(&wasm_load, page, &trap) == WASMTRAP_TRAPPED);
  wasm_access_t access = {address_of(page), 0};
  wasm_import_t import = {wasm_store.function, &access};
  host_call(&wasm_call_import, &import, &trap);
}

int main(void) {
  static const struct {
    int signal;
    const wasm_code_t *code;
    const char *name;
  } faults[] = {
      {SIGSEGV, &wasm_load, "a load"},
      {SIGSEGV, &wasm_store, "a store"},
      {SIGILL, &wasm_unreachable, "an illegal instruction"},
#if defined(__x86_64__)
      {SIGFPE, &wasm_divide, "a division"},
#endif
  };
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    void *const code = (void *)(uintptr_t)faults[i].code;
    const size_t pc = wasm_fault_pc(faults[i].code);
    child_dies_at(faults[i].signal, pc, fault, code, faults[i].name);
    child_dies_at(faults[i].signal, pc, fault_before_attaching, code, faults[i].name);
    int signal = faults[i].signal;
    child_dies_of(signal, send, &signal, "a signal that was sent");
  }
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_store), fault_after_a_trap_in_a_call, NULL, "in an import, after a trap");
  int bus = SIGBUS;
  child_dies_of(SIGBUS, send, &bus, "SIGBUS that was sent");
  return tap_done();
}
