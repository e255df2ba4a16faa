/* Without developer mode an exception brings read ports: the state can be read, not written, and a new state in the
 * reply of a behavior with identity does not count. With it, all of that works. */
#include <string.h>

#include "exception_server.h"
#include "host_profile.h"

static fault_place_t place;
static kern_return_t read_result, write_result;
static natural_t read_pc_matches;

static kern_return_t answer(exception_server_t *server, exception_t *exception) {
  natural_t state[STATE_WORDS];
  mach_msg_type_number_t count = STATE_WORDS;
  (void)server;
  read_result = thread_get_state(exception->thread, STATE_FLAVOR, state, &count);
  read_pc_matches = state_pc(state) - place.at <= 4;
  write_result = thread_set_state(exception->thread, STATE_FLAVOR, state, count);
  return KERN_SUCCESS;
}

int main(void) {
  if (host_kills_for_behavior() && !host_kills_for_state()) return tap_skip_all("such a behavior kills here");
  if (host_is("sandboxed") || host_is("hardened-only-one-exception-port"))
    return tap_skip_all("no such port may be set here");
  if (host_is("interrupted") || host_is("bypassed")) return tap_skip_all("some exceptions become signals here");
#if !defined(__x86_64__)
  return tap_skip_all("a breakpoint needs moving on here");
#endif
  exception_server_t server;
  server_start(&server, answer, &place);
  const simulated_rights_t before = rights_now();
  must(take_exceptions(server.receive_from, WITH_CODES(EXCEPTION_DEFAULT)) == KERN_SUCCESS);
  fault_breakpoint(&place);
  same(server.count, 1, "an exception");
  same(read_result, KERN_SUCCESS, "whose thread's state can be read");
  ok(read_pc_matches, "and is that of the fault");
  same(write_result, host_is("developer-mode-off") ? KERN_INVALID_ARGUMENT : KERN_SUCCESS, "and perhaps be written");
  take_no_exceptions();
  same_rights(&before, "the ports that came were given back");
  return tap_done();
}
