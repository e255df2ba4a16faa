/* WASMTRAP_BACKEND in the environment takes the place of the options' backend and of their Mach switch; a value that is
 * none is an error that says so. What cannot be had is an error that says why, unless a fallback is allowed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

static char *program;
static wasmtrap_options_t options;

/* Mach ports are there to be had: not on Linux, not where the kernel refuses them, not after fork without exec. */
static int ports_to_be_had;

static wasmtrap_status_t init_with(const char *value) {
  if (value != NULL) must(setenv("WASMTRAP_BACKEND", value, 1) == 0);
  return wasmtrap_init(&options);
}

static void takes(wasmtrap_backend_t expected, const char *value) {
  same(init_with(value), WASMTRAP_OK, "wasmtrap_init");
  wasmtrap_backend_t backend = 99;
  same(wasmtrap_backend(&backend), WASMTRAP_OK, "wasmtrap_backend");
  same(backend, expected, "the backend");
  ok(library_traps(), "a trap is a trap");
}

static void takes_signals(void *value) { takes(WASMTRAP_BACKEND_SIGNALS, value); }

static void takes_what_is_best(void *value) {
  takes(ports_to_be_had ? WASMTRAP_BACKEND_MACH_PORTS : WASMTRAP_BACKEND_SIGNALS, value);
}

static void takes_ports_or_refuses(void *value) {
  if (ports_to_be_had) {
    takes(WASMTRAP_BACKEND_MACH_PORTS, value);
    return;
  }
  same(init_with(value), WASMTRAP_ERR_UNSUPPORTED, "there are no Mach ports here");
  const char *const sentence = wasmtrap_last_error();
  const char *who = "options->backend is 1";
  if (options.macos_use_mach_ports == WASMTRAP_MACH_PORTS_YES) who = "options->macos_use_mach_ports is 1";
  if (getenv("WASMTRAP_BACKEND") != NULL) who = "the environment variable WASMTRAP_BACKEND is \"mach\"";
  contains(sentence, who, "which the sentence says, and who has asked for them");
  contains(sentence, "WASMTRAP_INIT_ALLOW_FALLBACK", "and what to do about it");
  uint32_t displaced;
  same(wasmtrap_check(&displaced), WASMTRAP_ERR_NOT_INITIALIZED, "the library is not set up");
}

/* macos_use_mach_ports has no effect where there is no Mach. */
static void follows_the_switch(void *value) {
  if (exception_ports() == NO_MACH) {
    takes_signals(value);
  } else {
    takes_ports_or_refuses(value);
  }
}

static void describes_the_choice(void *value) {
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

static const child_function_t checks[] = {takes_signals,      takes_what_is_best,   takes_ports_or_refuses,
                                          follows_the_switch, describes_the_choice, is_invalid};
enum { CHECKS = sizeof checks / sizeof *checks };

typedef struct start_t {
  child_function_t check;
  const char *value;
} start_t;

/* The options and the number of the check, as arguments of a new program. */
static void run_in_new_program(void *start) {
  const child_function_t check = ((start_t *)start)->check;
  const char *const value = ((start_t *)start)->value;
#if defined(_WIN32) /* Each child is a new program as it is. */
  check((void *)(uintptr_t)value);
#else
  if (EMULATED) {
    check((void *)(uintptr_t)value);
    return;
  }
  unsigned number = 0;
  while (number < CHECKS && checks[number] != check) number++;
  char text[64];
  snprintf(text, sizeof text, "%u %u %u %u", number, options.backend, options.flags, options.macos_use_mach_ports);
  execl(program, program, text, value, (char *)NULL);
  must(!"exec");
#endif
}

static int run_as_new_program(const char *text, char *value) {
  tap_become_child(NULL);
  unsigned number;
  must(sscanf(text, "%u %u %u %u", &number, &options.backend, &options.flags, &options.macos_use_mach_ports) == 4);
  must(number < CHECKS);
  ports_to_be_had = exception_ports() >= PORTS_GET_ALL;
  checks[number](value);
  return tap_child_status();
}

static void a_new_program(child_function_t check, const char *value, const char *name) {
  start_t start = {check, value};
  child_passes(run_in_new_program, &start, name);
}

int main(int count, char **arguments) {
  program = arguments[0];
  options.struct_size = sizeof options;
  if (count > 1) return run_as_new_program(arguments[1], arguments[2]);

  must(unsetenv("WASMTRAP_BACKEND") == 0);
  a_new_program(takes_what_is_best, NULL, "not set");
  a_new_program(takes_what_is_best, "", "empty");
  a_new_program(takes_what_is_best, "auto", "auto");
  a_new_program(takes_signals, "signals", "signals");
  a_new_program(describes_the_choice, "signals", "the choice is described");
  a_new_program(takes_ports_or_refuses, "mach", "mach");
  static const char *const invalid[] = {"Signals", "mach_ports", " auto", "2", "signals,mach"};
  for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
    a_new_program(is_invalid, invalid[i], "a value that is none");
  }

  options.backend = WASMTRAP_BACKEND_MACH_PORTS;
  a_new_program(takes_ports_or_refuses, NULL, "options that ask for Mach ports, no variable");
  a_new_program(takes_signals, "signals", "options that ask for Mach ports, the variable for signals");
  a_new_program(takes_what_is_best, "auto", "options that ask for Mach ports, the variable for either");
  child_passes(takes_ports_or_refuses, NULL, "a forked child cannot have them");
  options.flags = WASMTRAP_INIT_ALLOW_FALLBACK;
  a_new_program(takes_what_is_best, NULL, "options that ask for Mach ports and allow a fallback");
  a_new_program(takes_what_is_best, "mach", "the variable asks for Mach ports, the options allow a fallback");
  child_passes(takes_what_is_best, NULL, "a forked child takes the fallback");
  options.flags = 0;
  options.backend = WASMTRAP_BACKEND_AUTO;
  child_passes(takes_what_is_best, NULL, "a forked child that leaves the choice to the library");
  options.macos_use_mach_ports = WASMTRAP_MACH_PORTS_YES;
  a_new_program(follows_the_switch, NULL, "macos_use_mach_ports: yes");
  options.macos_use_mach_ports = WASMTRAP_MACH_PORTS_NO;
  a_new_program(takes_signals, NULL, "macos_use_mach_ports: no");
  return tap_done();
}
