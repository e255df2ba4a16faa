/* What comes to any member is received from the set, in the order in which it came, and shows the member's name; a set
 * that goes ends the waiting, and its members stay. */
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host_profile.h"
#include "process.h"

static mach_port_t set;

static void send_number(mach_port_t port, int number) {
  mach_msg_header_t message;
  memset(&message, 0, sizeof message);
  message.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
  message.msgh_remote_port = port;
  message.msgh_id = number;
  must(mach_msg(&message, MACH_SEND_MSG, sizeof message, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL) == MACH_MSG_SUCCESS);
}

typedef struct plain {
  mach_msg_header_t header;
  mach_msg_max_trailer_t trailer;
} plain_t;

static mach_msg_return_t receive(plain_t *message, mach_port_t from, mach_msg_option_t option) {
  return mach_msg(&message->header, MACH_RCV_MSG | option, 0, sizeof *message, from, 0, MACH_PORT_NULL);
}

static volatile pid_t waiter;

static void *wait_at_set(void *result) {
  plain_t message;
  waiter = (pid_t)syscall(SYS_gettid);
  *(mach_msg_return_t *)result = receive(&message, set, 0);
  return message.header.msgh_id == 55 ? result : NULL;
}

/* Returns when the thread sleeps at the set. */
static void start_waiting(pthread_t *thread, mach_msg_return_t *result) {
  waiter = 0;
  must(pthread_create(thread, NULL, wait_at_set, result) == 0);
  while (waiter == 0) continue;
  wait_until_asleep(waiter);
}

int main(void) {
  mach_port_t members[3];
  plain_t message;
  must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &set) == KERN_SUCCESS);
  for (int i = 0; i < 3; i++) {
    must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &members[i]) == KERN_SUCCESS);
    same(mach_port_insert_member(mach_task_self(), members[i], set), KERN_SUCCESS, "member %d", i);
  }
  same(mach_port_insert_member(mach_task_self(), members[0], set), KERN_ALREADY_IN_SET, "nobody is one twice");
  static const int order[] = {2, 0, 1, 0, 2};
  for (int i = 0; i < 5; i++) send_number(members[order[i]], 100 + i);
  for (int i = 0; i < 5; i++) {
    same(receive(&message, set, 0), MACH_MSG_SUCCESS, "message %d", i);
    same(message.header.msgh_id, 100 + i, "comes in its turn");
    same(message.header.msgh_local_port, members[order[i]], "from its member");
  }
  send_number(members[1], 7);
  same(receive(&message, members[1], MACH_RCV_TIMEOUT), MACH_MSG_SUCCESS, "a member can be received from by itself");
  same(mach_port_extract_member(mach_task_self(), members[1], set), KERN_SUCCESS, "a member that leaves");
  same(mach_port_extract_member(mach_task_self(), members[1], set), KERN_NOT_IN_SET, "is none any more");
  send_number(members[1], 8);
  same(receive(&message, set, MACH_RCV_TIMEOUT), MACH_RCV_TIMED_OUT, "and its messages stay with it");
  same(mach_port_move_member(mach_task_self(), members[1], set), KERN_SUCCESS, "until it comes back");
  same(receive(&message, set, MACH_RCV_TIMEOUT), MACH_MSG_SUCCESS, "with them");
  same(mach_port_move_member(mach_task_self(), members[1], MACH_PORT_NULL), KERN_SUCCESS, "out of all sets");
  same(mach_port_move_member(mach_task_self(), members[1], MACH_PORT_NULL), KERN_NOT_IN_SET, "once");

  mach_msg_return_t result = 0;
  pthread_t thread;
  void *got = NULL;
  start_waiting(&thread, &result);
  send_number(members[0], 55);
  must(pthread_join(thread, &got) == 0);
  same(result, MACH_MSG_SUCCESS, "a plain message to a member wakes who waits at the set");
  ok(got == &result, "with it");
  start_waiting(&thread, &result);
  same(mach_port_mod_refs(mach_task_self(), set, MACH_PORT_RIGHT_PORT_SET, -1), KERN_SUCCESS, "the set goes");
  must(pthread_join(thread, NULL) == 0);
  same(result, MACH_RCV_PORT_CHANGED, "who waited hears of it");
  same(type_of(members[0]), MACH_PORT_TYPE_RECEIVE, "the members stay");
  return tap_done();
}
