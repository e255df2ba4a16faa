/* Dead names and lost senders are told to whom has asked, once. */
#include <string.h>

#include "host_profile.h"

static mach_port_t listener;

typedef struct message {
  mach_msg_header_t header;
  unsigned char rest[64];
} message_t;

static int received(message_t *message) {
  memset(message, 0, sizeof *message);
  return mach_msg(&message->header, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof *message, listener, 0,
                  MACH_PORT_NULL) == MACH_MSG_SUCCESS;
}

static kern_return_t ask(mach_port_t name, int id, unsigned int sync, mach_port_t *previous) {
  return mach_port_request_notification(mach_task_self(), name, id, sync, listener, MACH_MSG_TYPE_MAKE_SEND_ONCE,
                                        previous);
}

int main(void) {
  mach_port_t previous = MACH_PORT_NULL;
  message_t message;
  must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &listener) == KERN_SUCCESS);

  const mach_port_t mortal = new_port();
  same(ask(mortal, MACH_NOTIFY_DEAD_NAME, 0, &previous), KERN_SUCCESS, "asking for the death of a port");
  same(previous, MACH_PORT_NULL, "nobody has before");
  ok((type_of(mortal) & MACH_PORT_TYPE_DNREQUEST) != 0, "the name shows it");
  same(ask(mortal, MACH_NOTIFY_DEAD_NAME, 0, &previous), KERN_SUCCESS, "asking again");
  same(type_of(previous), MACH_PORT_TYPE_SEND_ONCE, "gives the earlier right back");
  must(mach_port_deallocate(mach_task_self(), previous) == KERN_SUCCESS);
  ok(received(&message) && message.header.msgh_id == MACH_NOTIFY_SEND_ONCE, "which says so when it is dropped");
  must(mach_port_mod_refs(mach_task_self(), mortal, MACH_PORT_RIGHT_RECEIVE, -1) == KERN_SUCCESS);
  ok(received(&message) && message.header.msgh_id == MACH_NOTIFY_DEAD_NAME, "the port dies, and it is told");
  same(((mach_dead_name_notification_t *)&message)->not_port, mortal, "with the name");
  same(references(mortal, MACH_PORT_RIGHT_DEAD_NAME), 2, "which has one more reference for it");
  ok(!received(&message), "once");

  const mach_port_t watched = new_port();
  same(ask(watched, MACH_NOTIFY_NO_SENDERS, 1, &previous), KERN_SUCCESS, "asking for the last sender");
  must(mach_port_deallocate(mach_task_self(), watched) == KERN_SUCCESS);
  ok(received(&message) && message.header.msgh_id == MACH_NOTIFY_NO_SENDERS, "it goes, and it is told");
  same(((mach_no_senders_notification_t *)&message)->not_count, 1, "with the number of rights that were made");
  must(mach_port_insert_right(mach_task_self(), watched, watched, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);
  must(mach_port_deallocate(mach_task_self(), watched) == KERN_SUCCESS);
  ok(!received(&message), "once");
  same(ask(watched, MACH_NOTIFY_NO_SENDERS, 0, &previous), KERN_SUCCESS, "asking when there is none");
  ok(received(&message) && message.header.msgh_id == MACH_NOTIFY_NO_SENDERS, "is answered at once");

  const mach_port_t gone = new_port();
  same(ask(gone, MACH_NOTIFY_DEAD_NAME, 0, &previous), KERN_SUCCESS, "a name that is given up before");
  must(mach_port_destroy(mach_task_self(), gone) == KERN_SUCCESS);
  ok(received(&message) && message.header.msgh_id == MACH_NOTIFY_PORT_DELETED, "is told as deleted");
  return tap_done();
}
