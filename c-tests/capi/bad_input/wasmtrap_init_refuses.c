/* wasmtrap_init with options that make no sense sets nothing up; with others than before it changes nothing. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "handlers.h"
#include "host.h"
#include "process.h"
#include "refusal.h"

static wasmtrap_options_t good(void) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  return options;
}

static void refuse(const wasmtrap_options_t *options, wasmtrap_status_t expected, const char *argument,
                   const char *value) {
  refused(wasmtrap_init(options), expected, argument, value, argument);
  wasmtrap_backend_t backend;
  fill(&backend, sizeof backend);
  ok(wasmtrap_backend(&backend) == WASMTRAP_ERR_NOT_INITIALIZED && untouched(&backend, sizeof backend),
     "... and the library is not set up");
  ok(disposition_of(SIGSEGV).sa_handler == SIG_DFL && disposition_of(SIGFPE).sa_handler == SIG_DFL,
     "... and no handler is installed");
}

static void nonsense(void *unused) {
  (void)unused;
  remember_state();
  static const size_t sizes[] = {0, 1, sizeof(wasmtrap_options_t) - 1, sizeof(wasmtrap_options_t) + 1, SIZE_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    wasmtrap_options_t options = good();
    options.struct_size = sizes[i];
    char value[32];
    snprintf(value, sizeof value, "%zu", sizes[i]);
    refuse(&options, WASMTRAP_ERR_STRUCT_SIZE, "options->struct_size", value);
  }
  wasmtrap_options_t options = good();
  options.backend = 3;
  refuse(&options, WASMTRAP_ERR_INVALID_ARGUMENT, "options->backend", "3");
  options.backend = UINT32_MAX;
  refuse(&options, WASMTRAP_ERR_INVALID_ARGUMENT, "options->backend", "4294967295");
  options = good();
  options.macos_use_mach_ports = 3;
  refuse(&options, WASMTRAP_ERR_INVALID_ARGUMENT, "options->macos_use_mach_ports", "3");
  options = good();
  options.backend = WASMTRAP_BACKEND_SIGNALS;
  options.macos_use_mach_ports = WASMTRAP_MACH_PORTS_YES;
  refuse(&options, WASMTRAP_ERR_INVALID_ARGUMENT, "options->macos_use_mach_ports", "1");
  options.backend = WASMTRAP_BACKEND_MACH_PORTS;
  options.macos_use_mach_ports = WASMTRAP_MACH_PORTS_NO;
  refuse(&options, WASMTRAP_ERR_INVALID_ARGUMENT, "options->macos_use_mach_ports", "2");
  options.flags = WASMTRAP_INIT_ALLOW_FALLBACK;
  refuse(&options, WASMTRAP_ERR_INVALID_ARGUMENT, "options->macos_use_mach_ports", "2");
  options = good();
  options.fault_kinds = 16;
  refuse(&options, WASMTRAP_ERR_INVALID_ARGUMENT, "options->fault_kinds", "0x10");
  options.fault_kinds = WASMTRAP_FAULT_MEMORY | UINT32_C(0x80000000);
  refuse(&options, WASMTRAP_ERR_INVALID_ARGUMENT, "options->fault_kinds", "0x80000001");
  options = good();
  options.flags = UINT32_C(1) << 30;
  refuse(&options, WASMTRAP_ERR_INVALID_ARGUMENT, "options->flags", "0x40000000");
  options.flags = UINT32_MAX;
  refuse(&options, WASMTRAP_ERR_INVALID_ARGUMENT, "options->flags", "0xffffffff");
  static const size_t stack_sizes[] = {1, 16 * 1024 - 1, (64 << 20) + 1, SIZE_MAX};
  for (size_t i = 0; i < sizeof stack_sizes / sizeof *stack_sizes; i++) {
    options = good();
    options.alternate_stack_size = stack_sizes[i];
    char value[32];
    snprintf(value, sizeof value, "%zu", stack_sizes[i]);
    refuse(&options, WASMTRAP_ERR_INVALID_ARGUMENT, "options->alternate_stack_size", value);
  }
#if !defined(__APPLE__)
  options = good();
  options.backend = WASMTRAP_BACKEND_MACH_PORTS;
  refuse(&options, WASMTRAP_ERR_UNSUPPORTED, "options->backend", "Mach");
#endif
  same(wasmtrap_init(NULL), WASMTRAP_OK, "afterwards it works");
  ok(library_traps(), "and a trap is a trap");
}

static void conflicts(void *unused) {
  (void)unused;
  host_init();
  host_register_code(&wasm_store);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  remember_state();
  wasmtrap_options_t options = good();
  same(wasmtrap_init(NULL), WASMTRAP_OK, "the same again: NULL");
  same(wasmtrap_init(&options), WASMTRAP_OK, "the same again: zeros");
  options.fault_kinds = WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ILLEGAL | WASMTRAP_FAULT_ARITHMETIC;
  same(wasmtrap_init(&options), WASMTRAP_OK, "the same again: what the defaults stand for");

  options.fault_kinds = WASMTRAP_FAULT_MEMORY;
  refused(wasmtrap_init(&options), WASMTRAP_ERR_CONFLICT, "fault_kinds", "1", "other kinds");
  options = good();
  options.backend = WASMTRAP_BACKEND_SIGNALS;
  refused(wasmtrap_init(&options), WASMTRAP_ERR_CONFLICT, "backend", "2", "another backend");
  options = good();
  options.alternate_stack_size = 65536;
  refused(wasmtrap_init(&options), WASMTRAP_ERR_CONFLICT, "alternate_stack_size", "65536", "another stack size");
  options = good();
  options.flags = WASMTRAP_INIT_HOST_OWNS_SIGNALS;
  refused(wasmtrap_init(&options), WASMTRAP_ERR_CONFLICT, "flags", NULL, "other flags");
  options.flags = WASMTRAP_INIT_ALLOW_FALLBACK;
  refused(wasmtrap_init(&options), WASMTRAP_ERR_CONFLICT, "flags", NULL, "other flags");
  options.flags = UINT32_C(1) << 30;
  refused(wasmtrap_init(&options), WASMTRAP_ERR_INVALID_ARGUMENT, "flags", "0x40000000",
          "nonsense is nonsense here too");
  ok(library_traps(), "a trap is a trap");
  same(wasmtrap_init(NULL), WASMTRAP_OK, "the same options are still welcome");
}

int main(void) {
  /* It would have the last word on the backend. */
  must(unsetenv("WASMTRAP_BACKEND") == 0);
  child_passes(nonsense, NULL, "options that make no sense");
  child_passes(conflicts, NULL, "options that are not those of before");
  return tap_done();
}
