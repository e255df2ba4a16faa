/* Setting an exception port with a behavior that shows control ports kills Apple's own programs since 14.4; the
 * protected ones are allowed; with only-one-exception-port everything kills; the sandbox and missing control refuse by
 * a code. */
#include <signal.h>

#include "exception_server.h"
#include "host_profile.h"
#include "process.h"

typedef struct attempt {
  int behavior;
  int at_task;
  int none;
} attempt_t;

static kern_return_t set(const attempt_t *attempt) {
  const mach_port_t port = attempt->none ? MACH_PORT_NULL : new_port();
  return attempt->at_task ? task_set_exception_ports(mach_task_self(), TEST_MASK, port, attempt->behavior, STATE_FLAVOR)
                          : take_exceptions(port, attempt->behavior);
}

static void succeeds(void *attempt) { same(set(attempt), KERN_SUCCESS, "set"); }
static void is_refused(void *attempt) { same(set(attempt), KERN_NO_ACCESS, "refused"); }

static void check(int behavior, int at_task, int none, const char *name) {
  attempt_t attempt = {behavior, at_task, none};
  const int plain = behavior & ~(int)MACH_EXCEPTION_MASK;
  const int shows_ports = plain == EXCEPTION_DEFAULT || plain == EXCEPTION_STATE_IDENTITY;
  if (host_is("hardened-only-one-exception-port") || (host_kills_for_behavior() && shows_ports && !none)) {
    child_dies_of(SIGKILL, succeeds, &attempt, name);
  } else if (host_is("sandboxed")) {
    child_passes(is_refused, &attempt, name);
  } else {
    child_passes(succeeds, &attempt, name);
  }
}

/* As a debugger may, which the rules spare. */
static void set_from_outside(void *unused) {
  (void)unused;
  const mach_port_t port = new_port();
  exception_mask_t masks[EXC_TYPES_COUNT];
  mach_msg_type_number_t count = EXC_TYPES_COUNT;
  mach_port_t ports[EXC_TYPES_COUNT];
  exception_behavior_t behaviors[EXC_TYPES_COUNT];
  thread_state_flavor_t flavors[EXC_TYPES_COUNT];
  same(simulated_set_exception_ports_from_outside(MACH_PORT_NULL, TEST_MASK, port, WITH_CODES(EXCEPTION_DEFAULT),
                                                  STATE_FLAVOR),
       KERN_SUCCESS, "set");
  same(thread_get_exception_ports(this_thread(), TEST_MASK, masks, &count, ports, behaviors, flavors), KERN_SUCCESS,
       "and got");
  same(count, 1, "as one");
  same(ports[0], port, "the port");
  same(behaviors[0], WITH_CODES(EXCEPTION_DEFAULT), "and the behavior");
}

int main(void) {
  child_passes(set_from_outside, NULL, "a forbidden behavior, set from outside");
  check(WITH_CODES(EXCEPTION_STATE), 0, 0, "state");
  check(EXCEPTION_STATE, 0, 0, "state, 32-bit codes");
  check(WITH_CODES(EXCEPTION_IDENTITY_PROTECTED), 0, 0, "identity protected");
  check(WITH_CODES(EXCEPTION_DEFAULT), 0, 0, "default");
  check(EXCEPTION_DEFAULT, 0, 0, "default, 32-bit codes");
  check(WITH_CODES(EXCEPTION_STATE_IDENTITY), 0, 0, "state and identity");
  check(WITH_CODES(EXCEPTION_DEFAULT), 0, 1, "default, but no port");
  check(WITH_CODES(EXCEPTION_STATE), 1, 0, "state, at the task");
  check(WITH_CODES(EXCEPTION_DEFAULT), 1, 0, "default, at the task");
  return tap_done();
}
