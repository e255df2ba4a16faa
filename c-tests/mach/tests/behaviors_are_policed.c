/* Every call that sets exception ports, with every behavior and kind of port, is answered as the release answers it in
 * a program like this: it works, it works and is counted, it is an error, or it is the end. */
#include <signal.h>
#include <stdio.h>

#include "exception_server.h"
#include "host_profile.h"
#include "process.h"

typedef enum port_kind { NO_PORT, PLAIN, WITH_BIT } port_kind_t;
typedef enum setter { THREAD_SET, THREAD_SWAP, TASK_SET, TASK_SWAP } setter_t;
typedef enum outcome { WORKS, IS_COUNTED, IS_AN_ERROR, KILLS } outcome_t;

typedef struct attempt {
  int behavior;
  port_kind_t port;
  setter_t setter;
  outcome_t outcome;
  kern_return_t error;
  char name[96];
} attempt_t;

static int shows_no_ports(int behavior) {
  return behavior == EXCEPTION_STATE || behavior == EXCEPTION_IDENTITY_PROTECTED ||
         behavior == EXCEPTION_STATE_IDENTITY_PROTECTED;
}

/* From XNU's sources, as policy.rs is, but told as a story. */
static void expect(attempt_t *attempt) {
  const int is_macos_14 = host_release() >= MACOS_14_0 && host_release() < MACOS_15;
  const int needs_a_port_that_moves = host_release() >= MACOS_14_2 && is_macos_14 && attempt->setter != THREAD_SET;
  attempt->outcome = WORKS;
  attempt->error = KERN_SUCCESS;
  const int is_too_new = (attempt->behavior == EXCEPTION_STATE_IDENTITY_PROTECTED && host_release() < MACOS_15) ||
                         (attempt->behavior == EXCEPTION_IDENTITY_PROTECTED && host_release() < MACOS_13);
  if (attempt->port != NO_PORT && is_too_new) {
    attempt->outcome = IS_AN_ERROR;
    attempt->error = KERN_INVALID_ARGUMENT;
  } else if (attempt->port == WITH_BIT && needs_a_port_that_moves) {
    attempt->outcome = IS_AN_ERROR;
    attempt->error = KERN_INVALID_RIGHT;
  } else if (host_is("hardened-only-one-exception-port")) {
    attempt->outcome = KILLS;
  } else if (host_is_policed() && attempt->port != NO_PORT && !(is_macos_14 && attempt->port == WITH_BIT)) {
    const int is_protected =
        is_macos_14 ? attempt->behavior == EXCEPTION_IDENTITY_PROTECTED : shows_no_ports(attempt->behavior);
    if (!is_protected) attempt->outcome = host_kills_for_behavior() ? KILLS : IS_COUNTED;
  }
  if (attempt->outcome == WORKS && host_is("sandboxed")) {
    attempt->outcome = IS_AN_ERROR;
    attempt->error = KERN_NO_ACCESS;
  }
}

static kern_return_t set(const attempt_t *attempt) {
  exception_mask_t masks[EXC_TYPES_COUNT];
  mach_msg_type_number_t count = EXC_TYPES_COUNT;
  mach_port_t ports[EXC_TYPES_COUNT];
  exception_behavior_t behaviors[EXC_TYPES_COUNT];
  thread_state_flavor_t flavors[EXC_TYPES_COUNT];
  const int behavior = WITH_CODES(attempt->behavior);
  const mach_port_t port = attempt->port == NO_PORT ? MACH_PORT_NULL
                           : attempt->port == PLAIN ? new_port()
                                                    : new_port_with_bit_0x8000();
  switch (attempt->setter) {
    case THREAD_SET:
      return thread_set_exception_ports(this_thread(), TEST_MASK, port, behavior, STATE_FLAVOR);
    case THREAD_SWAP:
      return thread_swap_exception_ports(this_thread(), TEST_MASK, port, behavior, STATE_FLAVOR, masks, &count, ports,
                                         behaviors, flavors);
    case TASK_SET:
      return task_set_exception_ports(mach_task_self(), TEST_MASK, port, behavior, STATE_FLAVOR);
    default:
      return task_swap_exception_ports(mach_task_self(), TEST_MASK, port, behavior, STATE_FLAVOR, masks, &count, ports,
                                       behaviors, flavors);
  }
}

static unsigned long counted(void) {
  simulated_exceptions_t exceptions;
  must(simulated_exceptions(&exceptions) == KERN_SUCCESS);
  return (unsigned long)exceptions.behaviors_counted;
}

static void set_and_compare(void *argument) {
  const attempt_t *const attempt = argument;
  const unsigned long before = counted();
  same(set(attempt), attempt->error, "%s", attempt->name);
  same(counted() - before, attempt->outcome == IS_COUNTED, "%s: counted", attempt->name);
}

/* Each that kills in a process of its own, the others one after the other in one. */
static void try_all(void (*try)(attempt_t *)) {
  static const struct {
    int behavior;
    const char *name;
  } behaviors[] = {{EXCEPTION_DEFAULT, "default"},
                   {EXCEPTION_STATE, "state"},
                   {EXCEPTION_STATE_IDENTITY, "state and identity"},
                   {EXCEPTION_IDENTITY_PROTECTED, "identity protected"},
                   {EXCEPTION_STATE_IDENTITY_PROTECTED, "state and identity protected"}};
  static const char *const ports[] = {"no port", "a plain port", "a port with the bit"};
  static const char *const setters[] = {"set on a thread", "swapped on a thread", "set on a task", "swapped on a task"};
  for (size_t behavior = 0; behavior < sizeof behaviors / sizeof behaviors[0]; behavior++)
    for (int port = NO_PORT; port <= WITH_BIT; port++)
      for (int setter = THREAD_SET; setter <= TASK_SWAP; setter++) {
        attempt_t attempt = {behaviors[behavior].behavior, (port_kind_t)port, (setter_t)setter, WORKS, 0, ""};
        snprintf(attempt.name, sizeof attempt.name, "%s, %s, %s", behaviors[behavior].name, ports[port],
                 setters[setter]);
        expect(&attempt);
        try(&attempt);
      }
}

static void try_to_survive(attempt_t *attempt) {
  if (attempt->outcome != KILLS) set_and_compare(attempt);
}

static void try_to_die(attempt_t *attempt) {
  if (attempt->outcome == KILLS) child_dies_of(SIGKILL, set_and_compare, attempt, attempt->name);
}

static void try_those_that_live(void *unused) {
  (void)unused;
  try_all(try_to_survive);
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
  host_must_have(NEEDS_MANY_PORTS);
  child_passes(set_from_outside, NULL, "a forbidden behavior, set from outside");
  child_passes(try_those_that_live, NULL, "all that does not kill");
  try_all(try_to_die);
  return tap_done();
}
