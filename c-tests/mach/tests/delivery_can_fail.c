/* An exception whose message is interrupted or bypassed becomes the signal, and the server's answer reaches nobody; the
 * profiles do it now and then, a test when it asks. */
#include <signal.h>

#include "exception_server.h"
#include "going_on.h"
#include "host_profile.h"

static fault_place_t place;
static volatile mach_port_type_t reply_type;

/* Late, so that the thread has gone on already. */
static kern_return_t answer_late(exception_server_t *server, exception_t *exception) {
  (void)server;
  while (signals == 0) continue;
  reply_type = type_of(exception->header.msgh_remote_port);
  return MIG_NO_REPLY;
}

int main(void) {
  if (host_is("sandboxed")) return tap_skip_all("the sandbox refuses to set exception ports");
  if (host_is("hardened-only-one-exception-port")) return tap_skip_all("setting an exception port kills here");
  go_on_behind(SIGILL, &place);
  exception_server_t server;
  server_start(&server, answer_go_on, &place);
  must(take_exceptions(server.receive_from, WITH_CODES(EXCEPTION_STATE)) == KERN_SUCCESS);
  enum { FAULTS = 42 };
  for (int i = 0; i < FAULTS; i++) fault_illegal(&place);
  const int expected = host_is("bypassed") ? FAULTS / 3 : host_is("interrupted") ? FAULTS / 7 : 0;
  same(signals, expected, "as many exceptions became signals as the profile wants");
  if (host_is("bypassed") || host_is("interrupted")) return tap_done();

  signals = server.count = 0;
  same(simulated_inject(MACH_PORT_NULL, SIMULATED_BYPASS_EXCEPTION), KERN_SUCCESS, "one to bypass");
  fault_illegal(&place);
  same(signals, 1, "is a signal");
  same(server.count, 0, "and no message");
  fault_illegal(&place);
  same(signals, 1, "the next one");
  same(server.count, 1, "is a message");
  signals = 0;
  server.answer = answer_late;
  same(simulated_inject(MACH_PORT_NULL, SIMULATED_INTERRUPT_EXCEPTION), KERN_SUCCESS, "one to interrupt");
  fault_illegal(&place);
  same(signals, 1, "is a signal");
  while (server.count != 2) continue;
  same(reply_type, MACH_PORT_TYPE_DEAD_NAME, "and a message whose answer nobody waits for");
  return tap_done();
}
