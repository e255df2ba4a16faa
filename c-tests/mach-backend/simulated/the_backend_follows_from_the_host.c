/* What wasmtrap_init takes in each kind of process, what it says about it, and what it answers to those who ask for
 * Mach ports, for signals, or for either, by option, by Wasmtime's switch, and by the environment. */
#include <stdlib.h>
#include <string.h>

#include <simulated_mach.h>

#include "backend.h"
#include "cases.h"
#include "host_rules.h"
#include "thread_ports.h"

typedef struct host_t {
  const char *profile;
  wasmtrap_backend_t backend;
  /* Why, in the description; where Mach ports cannot be had, in wasmtrap_last_error too. */
  const char *because;
  /* What it says of the process. */
  const char *process;
} host_t;

#define PORTS WASMTRAP_BACKEND_MACH_PORTS
#define SIGNALS WASMTRAP_BACKEND_SIGNALS
#define NOT_HARDENED "they are safe here: the process is not hardened"
#define HARDENED "they are safe here: the process is hardened, and the behavior that is used, EXCEPTION_STATE, is one"
#define OPTED_OUT \
  "they are safe here: the process is hardened, and the ports that are used with EXCEPTION_STATE are opted out"

static const host_t hosts[] = {
    {"ordinary", PORTS, NOT_HARDENED, "macOS 15.5 (Darwin 24.5.0); signed as "},
    {"ordinary-11", PORTS, NOT_HARDENED, "macOS 11.7.10 (Darwin 20.6.0); signed as "},
    {"apple-python-13", PORTS, "macOS 13 and before have no rule about behaviors", "macOS 13.6.4 (Darwin 22.6.0); "},
    {"apple-python-14.0", PORTS, OPTED_OUT, "platform binary; hardened"},
    {"apple-python-14.2", PORTS, OPTED_OUT, "platform binary; hardened"},
    {"apple-python-14.4", PORTS, OPTED_OUT, "signed as com.apple.python3; code signing flags"},
    {"apple-python-14.6", PORTS, OPTED_OUT, "platform binary; hardened"},
    {"apple-python-15", PORTS, HARDENED, "platform binary; hardened"},
    {"apple-python-26", PORTS, "by the sources of macOS 15", "macOS 26.0 (Darwin 25.0.0); "},
    {"ordinary-14.4", PORTS, NOT_HARDENED " (and its ports are opted out", "not hardened"},
    {"plugin-host-14.4", PORTS, OPTED_OUT, "signed as org.python.python; code signing flags"},
    {"library-validation-off-15", PORTS, HARDENED, "platform binary; hardened"},
    {"sip-off-14.6", PORTS, OPTED_OUT, "platform binary; hardened"},
    {"developer-mode-off", PORTS, NOT_HARDENED, "not hardened"},
    {"crash-reporter", PORTS, NOT_HARDENED, "not hardened"},
    {"debugger", PORTS, NOT_HARDENED, "not hardened"},
    {"interrupted", PORTS, NOT_HARDENED, "not hardened"},
    {"bypassed", PORTS, NOT_HARDENED, "not hardened"},
    {"ports-run-out", PORTS, NOT_HARDENED, "not hardened"},
    {"hardened-only-one-exception-port", SIGNALS, "com.apple.security.only-one-exception-port",
     "has the entitlement com.apple.security.only-one-exception-port"},
    {"sandboxed", SIGNALS, "thread_swap_exception_ports returned 0x8 (KERN_NO_ACCESS)", "not hardened"},
    {"translated", SIGNALS, "the process is translated by Rosetta", "; translated by Rosetta"},
};

static const host_t *host_here(void) {
  char profile[64];
  must(simulated_profile(profile, sizeof profile) == KERN_SUCCESS);
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
    if (strcmp(hosts[i].profile, profile) == 0) return &hosts[i];
  }
  tap_give_up("the profile is known here", __FILE__, __LINE__);
}

/* The trap comes the way that the backend says, where the profile lets it. */
static void traps_by(wasmtrap_backend_t backend) {
  if (!every_exception_is_delivered()) {
    ok(library_traps(), "a trap");
  } else if (backend == PORTS) {
    traps_by_ports("a trap by the port");
  } else {
    traps_by_signals("a trap by a signal");
  }
}

static void takes(wasmtrap_backend_t expected, const char *because) {
  wasmtrap_backend_t backend = 0;
  must(wasmtrap_backend(&backend) == WASMTRAP_OK);
  same(backend, expected, "the backend");
  char line[512];
  char *const text = described();
  strcpy(line, expected == PORTS ? "backend: Mach exception ports, because " : "backend: signals, because ");
  contains(text, line, "the description names it");
  contains(text, because, "and says why");
  free(text);
  traps_by(expected);
}

static wasmtrap_options_t asking_for(wasmtrap_backend_t backend, uint32_t flags) {
  wasmtrap_options_t options = no_options();
  options.backend = backend;
  options.flags = flags;
  return options;
}

static void automatic(void) {
  const host_t *const host = host_here();
  const task_rights_t rights = task_rights_now();
  must(wasmtrap_init(NULL) == WASMTRAP_OK);
  takes(host->backend, host->because);
  char *const text = described();
  contains(text, host->process, "the description says what kind of process this is");
  free(text);
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  same_task_rights(&rights, "no right is left");
}

/* Mach ports and nothing else: they are had, or it is an error that says why. */
static void required(const wasmtrap_options_t *options, const char *who) {
  const host_t *const host = host_here();
  const task_rights_t rights = task_rights_now();
  const wasmtrap_status_t status = wasmtrap_init(options);
  if (host->backend == PORTS) {
    same(status, WASMTRAP_OK, "%s: wasmtrap_init", who);
    takes(PORTS, host->because);
    must(wasmtrap_shutdown() == WASMTRAP_OK);
  } else {
    same(status, WASMTRAP_ERR_UNSUPPORTED, "%s: wasmtrap_init refuses", who);
    contains(wasmtrap_last_error(), who, "the error names who asked");
    contains(wasmtrap_last_error(), host->because, "and what is in the way");
    contains(wasmtrap_last_error(), "WASMTRAP_INIT_ALLOW_FALLBACK", "and what to do about it");
    wasmtrap_backend_t backend = 77;
    same(wasmtrap_backend(&backend), WASMTRAP_ERR_NOT_INITIALIZED, "nothing is set up");
    same(wasmtrap_init(NULL), WASMTRAP_OK, "it can be set up otherwise");
    takes(SIGNALS, host->because);
    must(wasmtrap_shutdown() == WASMTRAP_OK);
  }
  same_task_rights(&rights, "no right is left");
}

static void required_by_option(void) {
  const wasmtrap_options_t options = asking_for(PORTS, 0);
  required(&options, "options->backend is 1 (Mach ports)");
}

static void required_by_the_switch(void) {
  wasmtrap_options_t options = no_options();
  options.macos_use_mach_ports = WASMTRAP_MACH_PORTS_YES;
  required(&options, "options->macos_use_mach_ports is 1 (yes)");
}

static void required_by_the_environment(void) {
  must(setenv("WASMTRAP_BACKEND", "mach", 1) == 0);
  const host_t *const host = host_here();
  const wasmtrap_options_t signals = asking_for(SIGNALS, 0);
  const wasmtrap_status_t status = wasmtrap_init(&signals);
  if (host->backend == PORTS) {
    same(status, WASMTRAP_OK, "the environment overrides the options");
    takes(PORTS, host->because);
    return;
  }
  same(status, WASMTRAP_ERR_UNSUPPORTED, "the environment overrides the options");
  contains(wasmtrap_last_error(), "the environment variable WASMTRAP_BACKEND is \"mach\"", "the error names it");
  contains(wasmtrap_last_error(), host->because, "and what is in the way");
}

static void wanted_with_fallback(void) {
  const host_t *const host = host_here();
  const wasmtrap_options_t options = asking_for(PORTS, WASMTRAP_INIT_ALLOW_FALLBACK);
  same(wasmtrap_init(&options), WASMTRAP_OK, "wasmtrap_init");
  takes(host->backend, host->because);
  if (host->backend == PORTS) return;
  char *const text = described();
  contains(text, "WASMTRAP_INIT_ALLOW_FALLBACK is set", "the description tells of the fallback");
  free(text);
}

/* Who asks for signals gets them everywhere, and no port is made. */
static void signals_only(const wasmtrap_options_t *options, const char *because) {
  const task_rights_t rights = task_rights_now();
  must(wasmtrap_init(options) == WASMTRAP_OK);
  takes(SIGNALS, because);
  same_task_rights(&rights, "no right came or went");
}

static void signals_by_option(void) {
  const wasmtrap_options_t options = asking_for(SIGNALS, 0);
  signals_only(&options, "the options ask for them");
}

static void signals_by_the_switch(void) {
  wasmtrap_options_t options = no_options();
  options.macos_use_mach_ports = WASMTRAP_MACH_PORTS_NO;
  signals_only(&options, "macos_use_mach_ports is off");
}

static void signals_by_the_environment(void) {
  must(setenv("WASMTRAP_BACKEND", "signals", 1) == 0);
  const wasmtrap_options_t options = asking_for(PORTS, 0);
  signals_only(&options, "the environment variable WASMTRAP_BACKEND asks for them");
}

static void automatic_by_the_environment(void) {
  must(setenv("WASMTRAP_BACKEND", "auto", 1) == 0);
  const host_t *const host = host_here();
  const wasmtrap_options_t options = asking_for(SIGNALS, 0);
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  takes(host->backend, host->because);
}

static void contradictions(void) {
  wasmtrap_options_t options = asking_for(PORTS, 0);
  options.macos_use_mach_ports = WASMTRAP_MACH_PORTS_NO;
  same(wasmtrap_init(&options), WASMTRAP_ERR_INVALID_ARGUMENT, "Mach ports, and none");
  contains(wasmtrap_last_error(), "contradict", "are a contradiction");
  options = asking_for(SIGNALS, 0);
  options.macos_use_mach_ports = WASMTRAP_MACH_PORTS_YES;
  same(wasmtrap_init(&options), WASMTRAP_ERR_INVALID_ARGUMENT, "signals, and Mach ports");
  contains(wasmtrap_last_error(), "contradict", "are one too");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"AUTO", automatic, 0},
      {"MACH_PORTS without fallback", required_by_option, 0},
      {"macos_use_mach_ports", required_by_the_switch, 0},
      {"WASMTRAP_BACKEND=mach", required_by_the_environment, 0},
      {"MACH_PORTS with fallback", wanted_with_fallback, 0},
      {"SIGNALS", signals_by_option, 0},
      {"macos_use_mach_ports off", signals_by_the_switch, 0},
      {"WASMTRAP_BACKEND=signals", signals_by_the_environment, 0},
      {"WASMTRAP_BACKEND=auto", automatic_by_the_environment, 0},
      {"contradictions", contradictions, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
