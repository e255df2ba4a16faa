/* What the thread level does not take reaches the crash reporter, in a process of its own, which counts and declines; a
 * debugger in its place takes breakpoints. What the thread level takes, neither sees. */
#include <signal.h>

#include "exception_server.h"
#include "going_on.h"
#include "host_profile.h"

static fault_place_t place;
static simulated_exceptions_t counts(void) {
  simulated_exceptions_t counts;
  must(simulated_exceptions(&counts) == KERN_SUCCESS);
  return counts;
}

int main(void) {
  if (!host_is("crash-reporter") && !host_is("debugger")) return tap_skip_all("nobody sits at task level");
  go_on_behind(SIGILL, &place);
  go_on_behind(SIGTRAP, &place);
  fault_illegal(&place);
  same(counts().task_level, 1, "an exception without a thread port reaches the task level");
  same(counts().became_signals, 1, "which declines");
  same(signals, 1, "so that it is a signal");
#if defined(__x86_64__)
  fault_breakpoint(&place);
  same(counts().task_level, 2, "a breakpoint too");
  same(counts().task_level_handled, host_is("debugger"), "which a debugger takes");
  same(signals, host_is("debugger") ? 1 : 2, "and a crash reporter does not");
#endif
  const uint64_t before = counts().task_level;
  exception_server_t server;
  server_start(&server, answer_go_on, &place);
  must(take_exceptions(server.receive_from, WITH_CODES(EXCEPTION_STATE)) == KERN_SUCCESS);
  fault_illegal(&place);
  fault_breakpoint(&place);
  same(counts().thread_level_handled, 2, "what the thread level takes");
  same(counts().task_level, before, "the task level never sees");
  return tap_done();
}
