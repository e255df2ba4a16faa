#include "host_rules.h"

#include <pthread.h>
#include <string.h>

#include <mach/mach.h>

#include "tap.h"

#if defined(__APPLE__)
int kernel_kills_for_showing_ports(void) { return 0; }
int process_is_hardened(void) { return 0; }
int showing_ports_is_forbidden(void) { return 0; }
int state_is_forbidden(void) { return 0; }
int kernel_kills_for_state(void) { return 0; }
int messages_bring_read_ports(void) { return 0; }
int every_exception_is_delivered(void) { return 1; }
int a_debugger_takes_breakpoints(void) { return 0; }
#else
#include <simulated_mach.h>

static int profile_is(const char *name) {
  char profile[64];
  must(simulated_profile(profile, sizeof profile) == KERN_SUCCESS);
  return strcmp(profile, name) == 0;
}

int kernel_kills_for_state(void) { return profile_is("apple-python-14.4") || profile_is("apple-python-14.6"); }

int kernel_kills_for_showing_ports(void) {
  return kernel_kills_for_state() || profile_is("apple-python-15") || profile_is("apple-python-26");
}

int process_is_hardened(void) {
  return showing_ports_is_forbidden() || profile_is("apple-python-13") || profile_is("apple-python-14.2");
}

/* Whom the kernel frees, the library cannot tell from the others. */
int state_is_forbidden(void) {
  return kernel_kills_for_state() || profile_is("apple-python-14.0") || profile_is("plugin-host-14.4") ||
         profile_is("sip-off-14.6");
}

int showing_ports_is_forbidden(void) {
  return kernel_kills_for_showing_ports() || state_is_forbidden() || profile_is("library-validation-off-15");
}

int messages_bring_read_ports(void) { return profile_is("developer-mode-off"); }
int every_exception_is_delivered(void) { return !profile_is("interrupted") && !profile_is("bypassed"); }
int a_debugger_takes_breakpoints(void) { return profile_is("debugger"); }
#endif

unsigned int harmless_behavior(void) {
  return (state_is_forbidden() ? EXCEPTION_IDENTITY_PROTECTED : EXCEPTION_STATE) | MACH_EXCEPTION_CODES;
}

int kernel_knows_behavior(int behavior) {
  const unsigned int plain = (unsigned int)behavior & ~(unsigned int)MACH_EXCEPTION_MASK;
  if (plain != EXCEPTION_IDENTITY_PROTECTED && plain != EXCEPTION_STATE_IDENTITY_PROTECTED) return 1;
  /* A behavior counts only where a port comes with it; for no exception at all nothing is set. */
  mach_port_t port = MACH_PORT_NULL;
  must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port) == KERN_SUCCESS);
  must(mach_port_insert_right(mach_task_self(), port, port, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);
  const kern_return_t answer =
      thread_set_exception_ports(pthread_mach_thread_np(pthread_self()), 0, port, behavior, 0);
  must(mach_port_deallocate(mach_task_self(), port) == KERN_SUCCESS);
  must(mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_RECEIVE, -1) == KERN_SUCCESS);
  return answer == KERN_SUCCESS;
}
