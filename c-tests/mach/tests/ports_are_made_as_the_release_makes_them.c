/* mach_port_construct and the bit 0x8000: nothing in 13, an opted-out port in 14, an exception port since 15. What the
 * kernel does not know is no error; what excludes another is one. A receive right that is immovable is so for good. */
#include <signal.h>
#include <string.h>

#include "host_profile.h"
#include "process.h"

static kern_return_t construct(uint32_t flags, mach_port_t *port) {
  mach_port_options_t options = {flags, {0}, {0, 0}};
  return mach_port_construct(mach_task_self(), &options, 0, port);
}

/* The receive right as a part of a message to a port of one's own. */
static kern_return_t move(mach_port_t port) {
  struct {
    mach_msg_header_t header;
    mach_msg_body_t body;
    mach_msg_port_descriptor_t right;
  } message;
  const mach_port_t destination = new_port();
  memset(&message, 0, sizeof message);
  message.header.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0) | MACH_MSGH_BITS_COMPLEX;
  message.header.msgh_remote_port = destination;
  message.header.msgh_size = sizeof message;
  message.body.msgh_descriptor_count = 1;
  message.right.name = port;
  message.right.disposition = MACH_MSG_TYPE_MOVE_RECEIVE;
  message.right.type = MACH_MSG_PORT_DESCRIPTOR;
  const kern_return_t sent =
      mach_msg(&message.header, MACH_SEND_MSG, sizeof message, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
  free_port(destination);
  return sent;
}

static void move_one_with_bit(void *unused) {
  (void)unused;
  same(move(new_port_with_bit_0x8000()), KERN_SUCCESS, "its receive right moves");
}

static void move_one_that_was_guarded(void *unused) {
  mach_port_options_t options = {MPO_CONTEXT_AS_GUARD | MPO_IMMOVABLE_RECEIVE, {0}, {0, 0}};
  mach_port_t port = MACH_PORT_NULL;
  (void)unused;
  must(mach_port_construct(mach_task_self(), &options, 7, &port) == KERN_SUCCESS);
  must(mach_port_unguard(mach_task_self(), port, 7) == KERN_SUCCESS);
  same(move(port), KERN_SUCCESS, "its receive right moves");
}

static void excludes(uint32_t flags, int since, const char *name) {
  mach_port_t port = MACH_PORT_NULL;
  const kern_return_t expected = host_release() >= since ? KERN_INVALID_ARGUMENT : KERN_SUCCESS;
  same(construct(flags, &port), expected, "%s", name);
  if (port != MACH_PORT_NULL) must(mach_port_destruct(mach_task_self(), port, 0, 0) == KERN_SUCCESS);
}

int main(void) {
  enum { ENFORCE_REPLY_PORT_SEMANTICS = 0x2000, PROVISIONAL_REPLY_PORT = 0x4000, UNKNOWN = 0x10000 };
  const simulated_rights_t before = rights_now();
  mach_port_t port = new_port_with_bit_0x8000();
  same(references(port, MACH_PORT_RIGHT_SEND), 1, "a port with the bit has the send right that was asked for");
  free_port(port);
  same(construct(UNKNOWN, &port), KERN_SUCCESS, "a bit that no kernel knows is no error");
  must(mach_port_destruct(mach_task_self(), port, 0, 0) == KERN_SUCCESS);
  excludes(MPO_EXCEPTION_PORT | PROVISIONAL_REPLY_PORT, MACOS_14_0, "the bit and a provisional reply port");
  excludes(MPO_EXCEPTION_PORT | ENFORCE_REPLY_PORT_SEMANTICS, MACOS_14_0, "the bit and the rules for reply ports");
  excludes(ENFORCE_REPLY_PORT_SEMANTICS | PROVISIONAL_REPLY_PORT, MACOS_14_0, "those two without it");
  if (host_release() < MACOS_14_2)
    child_passes(move_one_with_bit, NULL, "a port with the bit is like any other");
  else
    child_dies_of(SIGKILL, move_one_with_bit, NULL, "a port with the bit keeps its receive right at home");
  child_dies_of(SIGKILL, move_one_that_was_guarded, NULL, "the end of a guard does not make a port movable");
  same_rights(&before, "nothing is left");
  return tap_done();
}
