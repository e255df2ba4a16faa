/* Only the kinds of fault in wasmtrap_options_t are taken. The dispositions of the other signals stay as they were. */
#include <signal.h>
#include <string.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

typedef struct kind_t {
  uint32_t kind;
  int signals[2];
  const wasm_code_t *code;
} kind_t;

static const kind_t kinds[] = {
    {WASMTRAP_FAULT_MEMORY, {SIGSEGV, SIGBUS}, &wasm_load},
    {WASMTRAP_FAULT_ILLEGAL, {SIGILL, SIGILL}, &wasm_unreachable},
#if defined(__x86_64__)
    {WASMTRAP_FAULT_ARITHMETIC, {SIGFPE, SIGFPE}, &wasm_divide},
#else
    {WASMTRAP_FAULT_ARITHMETIC, {SIGFPE, SIGFPE}, NULL},
#endif
    {WASMTRAP_FAULT_BREAKPOINT, {SIGTRAP, SIGTRAP}, NULL},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static int is_default(int signal) { return disposition_of(signal).sa_handler == SIG_DFL; }

static void init_without(const kind_t *left_out) {
  host_init_with_kinds(HOST_ALL_KINDS & ~left_out->kind);
}

static void dispositions(void *left_out) {
  init_without(left_out);
  for (size_t i = 0; i < KINDS; i++) {
    for (int s = 0; s < 2; s++) {
      const int signal = kinds[i].signals[s];
      same(is_default(signal), &kinds[i] == left_out, "%s", strsignal(signal));
    }
  }
}

static void fault(void *left_out) {
  const kind_t *const kind = left_out;
  init_without(kind);
  host_register_code(kind->code);
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  host_call(kind->code, &access, &trap);
}

int main(void) {
  for (size_t i = 0; i < KINDS; i++) {
    void *const kind = (void *)(uintptr_t)&kinds[i];
    child_passes(dispositions, kind, "the handlers are those asked for");
    if (kinds[i].code != NULL) {
      child_dies_at(kinds[i].signals[0], wasm_fault_pc(kinds[i].code), fault, kind, "the kind left out kills");
    }
  }
  return tap_done();
}
