#include "host_profile.h"

#include <stdlib.h>
#include <string.h>

static const char *profile(void) {
  static char name[64];
  if (name[0] == '\0') must(simulated_profile(name, sizeof name) == KERN_SUCCESS);
  return name;
}

int host_is(const char *name) { return strcmp(profile(), name) == 0; }

int host_is_hardened(void) {
  return strncmp(profile(), "apple-python", strlen("apple-python")) == 0 || host_is("translated") ||
         host_is("hardened-only-one-exception-port");
}

int host_kills_for_behavior(void) {
  return host_is("apple-python-14.4") || host_is("apple-python-15") || host_is("apple-python-26") ||
         host_is("hardened-only-one-exception-port");
}

int host_is_older_than_15(void) {
  return host_is("apple-python-13") || host_is("apple-python-14.0") || host_is("apple-python-14.4");
}

const char *host_lacks(int needs) {
  if ((needs & NEEDS_DELIVERY) != 0) {
    if (host_is("sandboxed")) return "the sandbox refuses to set exception ports";
    if (host_is("hardened-only-one-exception-port")) return "setting an exception port kills here";
    if (host_is("interrupted") || host_is("bypassed")) return "some exceptions become signals here";
  }
  if ((needs & NEEDS_CONTROL_PORTS) != 0) {
    if (host_kills_for_behavior()) return "behaviors with control ports kill here";
    if (host_is("developer-mode-off")) return "messages bring read ports only";
    if (host_is("sandboxed")) return "the sandbox refuses to set exception ports";
  }
  if ((needs & NEEDS_MANY_PORTS) != 0 && host_is("ports-run-out")) return "ports run out";
  if ((needs & NEEDS_HARMLESS_SLIPS) != 0 && host_is_hardened()) return "slips kill here";
  if ((needs & NEEDS_FREE_TASK_LEVEL) != 0 && (host_is("crash-reporter") || host_is("debugger")))
    return "somebody else sits at task level";
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
