/* What is wrong with a message has an error of its own, and nothing is lost. */
#include <string.h>

#include "host_profile.h"

static mach_msg_header_t header(mach_port_t to, mach_msg_type_name_t remote, mach_port_t reply,
                                mach_msg_type_name_t local) {
  mach_msg_header_t message;
  memset(&message, 0, sizeof message);
  message.msgh_bits = MACH_MSGH_BITS(remote, local);
  message.msgh_remote_port = to;
  message.msgh_local_port = reply;
  return message;
}

static mach_msg_return_t send_it(mach_msg_header_t message, mach_msg_size_t size) {
  return mach_msg(&message, MACH_SEND_MSG, size, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

typedef struct complex_message {
  mach_msg_header_t header;
  mach_msg_body_t body;
  mach_msg_port_descriptor_t port;
} complex_message_t;

static mach_msg_return_t send_port(mach_port_t to, mach_port_t name, unsigned int disposition, unsigned int count) {
  complex_message_t message;
  memset(&message, 0, sizeof message);
  message.header = header(to, MACH_MSG_TYPE_COPY_SEND, MACH_PORT_NULL, 0);
  message.header.msgh_bits |= MACH_MSGH_BITS_COMPLEX;
  message.body.msgh_descriptor_count = count;
  message.port.name = name;
  message.port.disposition = (unsigned char)disposition;
  message.port.type = MACH_MSG_PORT_DESCRIPTOR;
  return mach_msg(&message.header, MACH_SEND_MSG, sizeof message, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

int main(void) {
  enum { SIZE = sizeof(mach_msg_header_t), COPY = MACH_MSG_TYPE_COPY_SEND };
  const mach_port_t port = new_port();
  const simulated_rights_t before = rights_now();
  same(send_it(header(port, COPY, 0, 0), SIZE - 4), MACH_SEND_MSG_TOO_SMALL, "half a header");
  same(send_it(header(port, COPY, 0, 0), SIZE - 2), MACH_SEND_MSG_TOO_SMALL, "an odd size");
  same(mach_msg((mach_msg_header_t *)8, MACH_SEND_MSG, SIZE, 0, 0, 0, 0), MACH_SEND_INVALID_DATA, "no memory");
  same(send_it(header(0, COPY, 0, 0), SIZE), MACH_SEND_INVALID_DEST, "to nobody");
  same(send_it(header(MACH_PORT_DEAD, COPY, 0, 0), SIZE), MACH_SEND_INVALID_DEST, "to the dead");
  same(send_it(header(0x99903, COPY, 0, 0), SIZE), MACH_SEND_INVALID_DEST, "to a name that is not there");
  same(send_it(header(port, MACH_MSG_TYPE_MOVE_RECEIVE, 0, 0), SIZE), MACH_SEND_INVALID_HEADER,
       "to a receive right");
  same(send_it(header(port, 0, 0, 0), SIZE), MACH_SEND_INVALID_HEADER, "without a disposition");
  same(send_it(header(port, COPY, port, 0), SIZE), MACH_SEND_INVALID_HEADER, "a reply port without a disposition");
  same(send_it(header(port, MACH_MSG_TYPE_MOVE_SEND_ONCE, 0, 0), SIZE), MACH_SEND_INVALID_DEST,
       "by a send-once right that is none");
  const char *const reason = host_lacks(NEEDS_HARMLESS_SLIPS);
  if (reason != NULL) {
    tap_skip(reason, "the rest kills");
    return tap_done();
  }
  mach_msg_header_t received[4];
  same(mach_msg(received, MACH_RCV_MSG, 0, sizeof received, 0x99903, 0, 0), MACH_RCV_INVALID_NAME,
       "receiving from a name that is not there");
  same(send_it(header(port, COPY, 0x99903, MACH_MSG_TYPE_MAKE_SEND_ONCE), SIZE), MACH_SEND_INVALID_REPLY,
       "a reply port that is not there");
  same(send_it(header(port, COPY, mach_task_self(), MACH_MSG_TYPE_MAKE_SEND), SIZE), MACH_SEND_INVALID_REPLY,
       "a reply port that is not ours to make rights of");
  same(send_port(port, 0x99903, COPY, 1), MACH_SEND_INVALID_RIGHT, "a right that is not there");
  same(send_port(port, port, 99, 1), MACH_SEND_INVALID_TYPE, "a disposition that there is not");
  same(send_port(port, port, COPY, 2), MACH_SEND_MSG_TOO_SMALL, "more descriptors than fit");
  same(send_port(port, port, COPY, 0xffffffff), MACH_SEND_MSG_TOO_SMALL, "very many");
  same_rights(&before, "nothing was lost or made");
  return tap_done();
}
