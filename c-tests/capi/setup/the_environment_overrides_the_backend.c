/* WASMTRAP_BACKEND in the environment takes the place of the options' backend and of their Mach switch; a value that is
 * none is an error that says so. */
#include <stdlib.h>

#include "host.h"
#include "process.h"

static wasmtrap_options_t options;

static wasmtrap_status_t init_with(const char *value) {
  if (value != NULL) must(setenv("WASMTRAP_BACKEND", value, 1) == 0);
  options.struct_size = sizeof options;
  return wasmtrap_init(&options);
}

static wasmtrap_backend_t taken_with(const char *value) {
  same(init_with(value), WASMTRAP_OK, "wasmtrap_init");
  wasmtrap_backend_t backend = 99;
  same(wasmtrap_backend(&backend), WASMTRAP_OK, "wasmtrap_backend");
  ok(library_traps(), "a trap is a trap");
  return backend;
}

static void is_signals(void *value) { same(taken_with(value), WASMTRAP_BACKEND_SIGNALS, "signals"); }

#if defined(__APPLE__)
/* Signals in processes in which Mach ports would not be safe; a forked child, which these are, is one. */
static void is_left_to_the_library(void *value) {
  const wasmtrap_backend_t backend = taken_with(value);
  ok(backend == WASMTRAP_BACKEND_MACH_PORTS || backend == WASMTRAP_BACKEND_SIGNALS, "one or the other");
}
#define prefers_mach_ports is_left_to_the_library

static void needs_mach_ports(void *value) {
  const wasmtrap_status_t status = init_with(value);
  if (status != WASMTRAP_OK) {
    same(status, WASMTRAP_ERR_UNSUPPORTED, "there are no Mach ports here");
    contains(wasmtrap_last_error(), "Mach", "which the sentence says");
    return;
  }
  wasmtrap_backend_t backend = 99;
  must(wasmtrap_backend(&backend) == WASMTRAP_OK);
  same(backend, WASMTRAP_BACKEND_MACH_PORTS, "Mach ports");
}
#else
#define is_left_to_the_library is_signals
#define prefers_mach_ports is_signals

static void needs_mach_ports(void *value) {
  same(init_with(value), WASMTRAP_ERR_UNSUPPORTED, "there are no Mach ports here");
  contains(wasmtrap_last_error(), "Mach", "which the sentence says");
  uint32_t displaced;
  same(wasmtrap_check(&displaced), WASMTRAP_ERR_NOT_INITIALIZED, "the library is not set up");
}
#endif

static void is_described(void *value) {
  must(init_with(value) == WASMTRAP_OK);
  contains(described(), "WASMTRAP_BACKEND", "the description tells who chose the backend");
}

static void is_invalid(void *value) {
  same(init_with(value), WASMTRAP_ERR_INVALID_ARGUMENT, "\"%s\" is no backend", (const char *)value);
  contains(wasmtrap_last_error(), "WASMTRAP_BACKEND", "the sentence names the variable");
  contains(wasmtrap_last_error(), value, "and its value");
  must(unsetenv("WASMTRAP_BACKEND") == 0);
  same(init_with(NULL), WASMTRAP_OK, "without it all is well");
}

int main(void) {
  must(unsetenv("WASMTRAP_BACKEND") == 0);
  child_passes(is_left_to_the_library, NULL, "not set");
  child_passes(is_left_to_the_library, (char[]){""}, "empty");
  child_passes(is_left_to_the_library, (char[]){"auto"}, "auto");
  child_passes(is_signals, (char[]){"signals"}, "signals");
  child_passes(is_described, (char[]){"signals"}, "the choice is described");
  child_passes(needs_mach_ports, (char[]){"mach"}, "mach");
  static const char *const invalid[] = {"Signals", "mach_ports", " auto", "2", "signals,mach"};
  for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
    child_passes(is_invalid, (void *)(uintptr_t)invalid[i], "a value that is none");
  }

  options.backend = WASMTRAP_BACKEND_MACH_PORTS;
  child_passes(needs_mach_ports, NULL, "options that ask for Mach ports, no variable");
  child_passes(is_signals, (char[]){"signals"}, "options that ask for Mach ports, the variable for signals");
  child_passes(is_left_to_the_library, (char[]){"auto"}, "options that ask for Mach ports, the variable for either");
  options.flags = WASMTRAP_INIT_ALLOW_FALLBACK;
  child_passes(prefers_mach_ports, NULL, "options that ask for Mach ports and allow a fallback");
  child_passes(prefers_mach_ports, (char[]){"mach"}, "the variable asks for Mach ports, the options allow a fallback");
  options.flags = 0;
  options.backend = WASMTRAP_BACKEND_AUTO;
  options.macos_use_mach_ports = WASMTRAP_MACH_PORTS_YES;
  child_passes(prefers_mach_ports, NULL, "macos_use_mach_ports is for macOS only");
  return tap_done();
}
