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

static void is_signals(void *value) {
  same(init_with(value), WASMTRAP_OK, "wasmtrap_init");
  wasmtrap_backend_t backend = 99;
  same(wasmtrap_backend(&backend), WASMTRAP_OK, "wasmtrap_backend");
  same(backend, WASMTRAP_BACKEND_SIGNALS, "signals");
  ok(library_traps(), "a trap is a trap");
}

static void is_described(void *value) {
  must(init_with(value) == WASMTRAP_OK);
  contains(described(), "WASMTRAP_BACKEND", "the description tells who chose the backend");
}

static void is_unsupported(void *value) {
#if defined(__APPLE__)
  (void)value;
#else
  same(init_with(value), WASMTRAP_ERR_UNSUPPORTED, "there are no Mach ports here");
  contains(wasmtrap_last_error(), "Mach", "which the sentence says");
  uint32_t displaced;
  same(wasmtrap_check(&displaced), WASMTRAP_ERR_NOT_INITIALIZED, "the library is not set up");
#endif
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
  child_passes(is_signals, NULL, "not set");
  child_passes(is_signals, (char[]){""}, "empty");
  child_passes(is_signals, (char[]){"auto"}, "auto");
  child_passes(is_signals, (char[]){"signals"}, "signals");
  child_passes(is_described, (char[]){"signals"}, "the choice is described");
  child_passes(is_unsupported, (char[]){"mach"}, "mach");
  static const char *const invalid[] = {"Signals", "mach_ports", " auto", "2", "signals,mach"};
  for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
    child_passes(is_invalid, (void *)(uintptr_t)invalid[i], "a value that is none");
  }

  options.backend = WASMTRAP_BACKEND_MACH_PORTS;
  child_passes(is_unsupported, NULL, "options that ask for Mach ports, no variable");
  child_passes(is_signals, (char[]){"signals"}, "options that ask for Mach ports, the variable for signals");
  child_passes(is_signals, (char[]){"auto"}, "options that ask for Mach ports, the variable for either");
  options.flags = WASMTRAP_INIT_ALLOW_FALLBACK;
  child_passes(is_signals, NULL, "options that ask for Mach ports and allow a fallback");
  child_passes(is_signals, (char[]){"mach"}, "the variable asks for Mach ports, the options allow a fallback");
  options.flags = 0;
  options.backend = WASMTRAP_BACKEND_AUTO;
  options.macos_use_mach_ports = WASMTRAP_MACH_PORTS_YES;
  child_passes(is_signals, NULL, "macos_use_mach_ports is for macOS only");
  return tap_done();
}
