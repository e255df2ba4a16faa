#include "host_profile.h"

#include <stdlib.h>
#include <string.h>

static const char *profile(void) {
  static char name[64];
  if (name[0] == '\0') must(simulated_profile(name, sizeof name) == KERN_SUCCESS);
  return name;
}

int host_is(const char *name) { return strcmp(profile(), name) == 0; }

/* What tests ask of a profile, written out by hand: the simulated kernel is what they test. */
typedef struct host {
  const char *name;
  int release;
  int is_apples_own;
  /* EXCEPTION_DEFAULT on a plain port is forbidden, whatever this release does about it. */
  int is_policed;
} host_t;

static const host_t *host(void) {
  static const host_t hosts[] = {
      {"ordinary", MACOS_15, 0, 0},
      {"apple-python-13", MACOS_13, 1, 0},
      {"apple-python-14.0", MACOS_14_0, 1, 1},
      {"apple-python-14.2", MACOS_14_2, 1, 0},
      {"apple-python-14.4", MACOS_14_4, 1, 1},
      {"apple-python-14.6", MACOS_14_6, 1, 1},
      {"apple-python-15", MACOS_15, 1, 1},
      {"apple-python-26", MACOS_26, 1, 1},
      {"ordinary-11", MACOS_11, 0, 0},
      {"ordinary-14.4", MACOS_14_4, 0, 0},
      {"plugin-host-14.4", MACOS_14_4, 1, 0},
      {"library-validation-off-15", MACOS_15, 1, 0},
      {"sip-off-14.6", MACOS_14_6, 1, 0},
      {"hardened-only-one-exception-port", MACOS_15, 1, 1},
      {"sandboxed", MACOS_15, 0, 0},
      {"developer-mode-off", MACOS_15, 0, 0},
      {"translated", MACOS_15, 1, 0},
      {"crash-reporter", MACOS_15, 0, 0},
      {"debugger", MACOS_15, 0, 0},
      {"interrupted", MACOS_15, 0, 0},
      {"bypassed", MACOS_15, 0, 0},
      {"ports-run-out", MACOS_15, 0, 0},
  };
  for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
    if (host_is(hosts[i].name)) return &hosts[i];
  must(!"a profile that is not in this list");
  return NULL;
}

int host_release(void) { return host()->release; }

int host_is_hardened(void) { return host()->is_apples_own; }

int host_is_policed(void) { return host()->is_policed; }

int host_kills_for_behavior(void) { return host_is_policed() && host_release() >= MACOS_14_4; }

int host_kills_for_state(void) { return host_kills_for_behavior() && host_release() < MACOS_15; }

int host_guards_thread_state(void) {
  if (!host_is_hardened() || host_is("translated")) return 0;
  /* Since 14.5 hosts of plug-ins are spared. */
  return !host_is("library-validation-off-15");
}

mach_port_t new_port_with_bit_0x8000(void) {
  mach_port_options_t options = {MPO_INSERT_SEND_RIGHT | MPO_PROVISIONAL_ID_PROT_OPTOUT, {0}, {0, 0}};
  mach_port_t port = MACH_PORT_NULL;
  must(mach_port_construct(mach_task_self(), &options, 0, &port) == KERN_SUCCESS);
  return port;
}

mach_port_t new_exception_port(void) {
  return host_release() >= MACOS_14_0 && host_release() < MACOS_15 ? new_port_with_bit_0x8000() : new_port();
}

const char *host_lacks(int needs) {
  if ((needs & NEEDS_DELIVERY) != 0) {
    if (host_is("sandboxed")) return "the sandbox refuses to set exception ports";
    if (host_is("hardened-only-one-exception-port")) return "setting an exception port kills here";
    if (host_is("interrupted") || host_is("bypassed")) return "some exceptions become signals here";
  }
  if ((needs & NEEDS_CONTROL_PORTS) != 0) {
    if (host_kills_for_behavior() && !host_kills_for_state()) return "behaviors with control ports kill here";
    if (host_is("developer-mode-off")) return "messages bring read ports only";
    if (host_is("sandboxed")) return "the sandbox refuses to set exception ports";
  }
  if ((needs & NEEDS_MANY_PORTS) != 0 && host_is("ports-run-out")) return "ports run out";
  if ((needs & NEEDS_HARMLESS_SLIPS) != 0 && host_is_hardened()) return "slips kill here";
  if ((needs & NEEDS_FREE_TASK_LEVEL) != 0) {
    if (host_is("crash-reporter") || host_is("debugger")) return "somebody else sits at task level";
    if (host_kills_for_state()) return "the task level takes no port for states here";
  }
  return NULL;
}

void host_must_have(int needs) {
  const char *const reason = host_lacks(needs);
  if (reason != NULL) exit(tap_skip_all(reason));
}

simulated_rights_t rights_now(void) {
  simulated_rights_t rights;
  must(simulated_rights(&rights) == KERN_SUCCESS);
  return rights;
}

void same_rights(const simulated_rights_t *before, const char *name) {
  const simulated_rights_t now = rights_now();
  const int same = memcmp(before, &now, sizeof now) == 0;
  ok(same, "%s", name);
  if (same) return;
  tap_note("before: %lu receive, %lu/%lu send, %lu send-once, %lu sets, %lu/%lu dead", (unsigned long)before->receive,
           (unsigned long)before->send_names, (unsigned long)before->send_references,
           (unsigned long)before->send_once, (unsigned long)before->port_sets, (unsigned long)before->dead_names,
           (unsigned long)before->dead_references);
  tap_note("now: %lu receive, %lu/%lu send, %lu send-once, %lu sets, %lu/%lu dead", (unsigned long)now.receive,
           (unsigned long)now.send_names, (unsigned long)now.send_references, (unsigned long)now.send_once,
           (unsigned long)now.port_sets, (unsigned long)now.dead_names, (unsigned long)now.dead_references);
}
