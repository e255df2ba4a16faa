/* Rights and memory in a message arrive at the receiver, each exactly once; what is destroyed on the way is released.
 * */
#include <string.h>

#include "host_profile.h"

typedef struct loaded {
  mach_msg_header_t header;
  mach_msg_body_t body;
  mach_msg_port_descriptor_t send;
  mach_msg_port_descriptor_t receive;
  mach_msg_ool_descriptor_t memory;
  mach_msg_ool_ports_descriptor_t ports;
  char text[16];
  mach_msg_max_trailer_t trailer;
} loaded_t;

static mach_port_t destination;
static char content[100000];

/* A message with a send right to `a`, the receive right of `b`, the content, and two rights to `a` in an array. */
static mach_msg_return_t send_loaded(mach_port_t a, mach_port_t b, mach_msg_option_t option, mach_port_t *array) {
  loaded_t message;
  memset(&message, 0, sizeof message);
  message.header.msgh_bits =
      MACH_MSGH_BITS_COMPLEX | MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, MACH_MSG_TYPE_MAKE_SEND_ONCE);
  message.header.msgh_remote_port = destination;
  message.header.msgh_local_port = a;
  message.header.msgh_id = 77;
  message.body.msgh_descriptor_count = 4;
  message.send.name = a;
  message.send.disposition = MACH_MSG_TYPE_COPY_SEND;
  message.send.type = MACH_MSG_PORT_DESCRIPTOR;
  message.receive.name = b;
  message.receive.disposition = MACH_MSG_TYPE_MOVE_RECEIVE;
  message.receive.type = MACH_MSG_PORT_DESCRIPTOR;
  message.memory.address = content;
  message.memory.size = sizeof content;
  message.memory.copy = MACH_MSG_VIRTUAL_COPY;
  message.memory.type = MACH_MSG_OOL_DESCRIPTOR;
  array[0] = array[1] = a;
  message.ports.address = array;
  message.ports.count = 2;
  message.ports.disposition = MACH_MSG_TYPE_MAKE_SEND;
  message.ports.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;
  strcpy(message.text, "inline");
  const mach_msg_size_t size = (mach_msg_size_t)((char *)&message.trailer - (char *)&message);
  return mach_msg(&message.header, MACH_SEND_MSG | option, size, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
}

static mach_msg_return_t receive(loaded_t *message, mach_msg_size_t limit, mach_msg_option_t option) {
  return mach_msg(&message->header, MACH_RCV_MSG | option, 0, limit, destination, 0, MACH_PORT_NULL);
}

int main(void) {
  destination = new_port();
  const mach_port_t a = new_port(), b = new_port();
  mach_port_t array[2];
  for (size_t i = 0; i < sizeof content; i++) content[i] = (char)(i * 7);
  must(mach_port_deallocate(mach_task_self(), b) == KERN_SUCCESS);
  const simulated_rights_t before = rights_now();

  same(send_loaded(a, b, 0, array), MACH_MSG_SUCCESS, "sent");
  same(type_of(b), 0, "the receive right is on its way");
  loaded_t message;
  memset(&message, 0, sizeof message);
  same(receive(&message, sizeof message, 0), MACH_MSG_SUCCESS, "received");
  same(message.header.msgh_id, 77, "with its number");
  same(message.header.msgh_local_port, destination, "through the destination's name");
  same(type_of(message.header.msgh_remote_port), MACH_PORT_TYPE_SEND_ONCE, "with a send-once right to answer");
  same(message.body.msgh_descriptor_count, 4, "four descriptors");
  same(message.send.name, a, "the send right joins the name that there is");
  same(message.send.disposition, MACH_MSG_TYPE_PORT_SEND, "as a send right");
  same(references(a, MACH_PORT_RIGHT_SEND), 4, "one more reference, and two from the array");
  same(type_of(message.receive.name), MACH_PORT_TYPE_RECEIVE, "the receive right has a name again");
  same(message.memory.size, sizeof content, "all of the memory");
  ok(message.memory.address != content && memcmp(message.memory.address, content, sizeof content) == 0, "a copy of it");
  same(message.ports.count, 2, "both rights of the array");
  same(((mach_port_t *)message.ports.address)[1], a, "under their name");
  same_text(message.text, "inline", "and what is inline");
  message.memory.deallocate = message.ports.deallocate = 1;
  const mach_port_t moved = message.receive.name;
  mach_msg_destroy(&message.header);
  same(type_of(moved), 0, "mach_msg_destroy gives up what came");
  const mach_port_t new_b = new_port();
  must(mach_port_deallocate(mach_task_self(), new_b) == KERN_SUCCESS);
  /* The reply right was dropped unused, which is a message itself. */
  mach_send_once_notification_t notification;
  same(mach_msg(&notification.not_header, MACH_RCV_MSG, 0, sizeof notification, a, 0, MACH_PORT_NULL),
       MACH_MSG_SUCCESS, "a send-once right that is dropped tells its port");
  same(notification.not_header.msgh_id, MACH_NOTIFY_SEND_ONCE, "so");
  same_rights(&before, "all are as before");

  same(send_loaded(a, new_b, 0, array), MACH_MSG_SUCCESS, "sent again");
  memset(&message, 0, sizeof message);
  same(receive(&message, 64, MACH_RCV_LARGE), MACH_RCV_TOO_LARGE, "too large a message stays, if asked");
  same(message.header.msgh_size, (size_t)((char *)&message.trailer - (char *)&message), "and tells its size");
  same(receive(&message, 64, 0), MACH_RCV_TOO_LARGE, "else it is destroyed");
  same(receive(&message, sizeof message, MACH_RCV_TIMEOUT), MACH_RCV_TIMED_OUT, "and gone");
  same(references(a, MACH_PORT_RIGHT_SEND), 1, "its send rights with it");
  must(mach_msg(&notification.not_header, MACH_RCV_MSG, 0, sizeof notification, a, 0, MACH_PORT_NULL) == 0);

  /* A queue that is full, and a message that comes back. */
  const mach_port_t third = new_port();
  mach_port_limits_t limits = {0};
  must(mach_port_deallocate(mach_task_self(), third) == KERN_SUCCESS);
  same(mach_port_set_attributes(mach_task_self(), destination, MACH_PORT_LIMITS_INFO, (mach_port_info_t)&limits,
                                MACH_PORT_LIMITS_INFO_COUNT),
       KERN_SUCCESS, "a queue that takes nothing");
  const simulated_rights_t full = rights_now();
  same(send_loaded(a, third, MACH_SEND_TIMEOUT, array), MACH_SEND_TIMED_OUT, "the message is not sent");
  const simulated_rights_t returned = rights_now();
  same(returned.receive, full.receive, "its receive right is back");
  same(returned.send_once, full.send_once + 1, "the reply right too, made as it was");
  same(references(a, MACH_PORT_RIGHT_SEND), 4, "and the send rights that it carried");
  return tap_done();
}
