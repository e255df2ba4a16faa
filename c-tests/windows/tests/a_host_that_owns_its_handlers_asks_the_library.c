/* With WASMTRAP_INIT_HOST_OWNS_SIGNALS the library adds no vectored handler. The host's own asks
 * wasmtrap_try_handle_signal, with the record and the context that it was given, and keeps what is not the library's,
 * unchanged. */
#include <signal.h>
#include <string.h>
#include <windows.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static volatile int asked, taken, changed;

static LONG CALLBACK own_handler(EXCEPTION_POINTERS *exception) {
  asked++;
  const EXCEPTION_RECORD record = *exception->ExceptionRecord;
  static CONTEXT context;
  context = *exception->ContextRecord;
  if (wasmtrap_try_handle_signal(0, exception->ExceptionRecord, exception->ContextRecord)) {
    taken++;
    return EXCEPTION_CONTINUE_EXECUTION;
  }
  if (memcmp(&record, exception->ExceptionRecord, sizeof record) != 0) changed++;
  if (memcmp(&context, exception->ContextRecord, sizeof context) != 0) changed++;
  if (record.ExceptionCode != EXCEPTION_ACCESS_VIOLATION || record.NumberParameters != 2) {
    return EXCEPTION_CONTINUE_SEARCH;
  }
  make_accessible((void *)record.ExceptionInformation[1]);
  return EXCEPTION_CONTINUE_EXECUTION;
}

static void init(void) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.flags = WASMTRAP_INIT_HOST_OWNS_SIGNALS;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
}

static void nothing_is_installed(void *unused) {
  (void)unused;
  init();
  ok(disposition_of(SIGSEGV).sa_handler == SIG_DFL, "there are no more vectored handlers than before");
  must(AddVectoredExceptionHandler(1, own_handler) != NULL);
  uint32_t displaced = 1;
  same(wasmtrap_check(&displaced), WASMTRAP_OK, "wasmtrap_check");
  same(displaced, 0, "nothing is ever displaced");
  same(wasmtrap_rearm(), WASMTRAP_OK, "wasmtrap_rearm");
  ok(library_traps(), "a trap is a trap");
  ok(asked == 1 && taken == 1, "by the host's handler");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "wasmtrap_shutdown");
}

static void traps(void *unused) {
  (void)unused;
  must(AddVectoredExceptionHandler(1, own_handler) != NULL);
  init();
  int trapped = 0;
  for (int i = 0; i < 1000; i++) trapped += library_traps();
  same(trapped, 1000, "each of a thousand traps is a trap");
  host_register_code(&wasm_unreachable);
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_unreachable, NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "another kind");
  host_register_code(&wasm_recurse);
  wasm_access_t depth = {0, 0};
  trapped_with(host_call(&wasm_recurse, &depth, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, "a stack overflow");
  ok(asked == taken && taken == 1002, "all were the library's");

  wasm_access_t access = {address_of(inaccessible_page()), 7};
  wasm_store.function(&access);
  same(asked, taken + 1, "a fault that is not the library's is the host's, which mends it");
  same(changed, 0, "the library changed nothing of it");
}

static void dies(void *unused) {
  (void)unused;
  must(AddVectoredExceptionHandler(1, own_handler) != NULL);
  init();
  must(library_traps());
  wasm_unreachable.function(NULL);
}

int main(void) {
  child_passes(nothing_is_installed, NULL, "the library installs nothing");
  child_passes(traps, NULL, "traps through a handler of the host's");
  child_dies_at(SIGILL, wasm_fault_pc(&wasm_unreachable), dies, NULL, "what neither takes ends the process");
  return tap_done();
}
