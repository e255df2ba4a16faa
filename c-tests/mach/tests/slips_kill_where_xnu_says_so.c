/* Each misuse is an error code in an ordinary program and a death by SIGKILL in Apple's own, or a death everywhere;
 * what is no misuse is neither. */
#include <signal.h>
#include <string.h>

#include "exception_server.h"
#include "host_profile.h"
#include "process.h"

enum outcome { LIVES, DIES_IF_HARDENED, DIES };

/* The child's own: it has none of its parent's. */
static mach_port_t port;

typedef void (*slip_t)(void);

static void in_child(void *slip) {
  port = new_port();
  (*(const slip_t *)slip)();
}

static void release_twice(void) {
  must(mach_port_deallocate(mach_task_self(), port) == KERN_SUCCESS);
  same(mach_port_deallocate(mach_task_self(), port), KERN_INVALID_RIGHT, "the error");
}
static void name_that_is_not_there(void) {
  same(mach_port_deallocate(mach_task_self(), 0x4243), KERN_INVALID_NAME, "the error");
}
static void too_many_references(void) {
  same(mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_SEND, -9), KERN_INVALID_VALUE, "the error");
}
static void raw_trap(void) {
  mach_msg_header_t message;
  memset(&message, 0, sizeof message);
  message.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
  message.msgh_remote_port = port;
  same(mach_msg_trap(&message, MACH_SEND_MSG, sizeof message, 0, 0, 0, 0), MACH_MSG_SUCCESS, "sent");
}
static void raw_trap_that_receives(void) {
  mach_msg_header_t message[4];
  same(mach_msg_trap(message, MACH_RCV_MSG | MACH_RCV_TIMEOUT, 0, sizeof message, port, 0, 0), MACH_RCV_TIMED_OUT,
       "nothing there");
}
static void kernel_object_by_hand(void) {
  mach_msg_header_t message;
  memset(&message, 0, sizeof message);
  message.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
  message.msgh_remote_port = mach_task_self();
  message.msgh_id = 3404;
  same(mach_msg(&message, MACH_SEND_MSG, sizeof message, 0, 0, 0, 0), MACH_SEND_INVALID_OPTIONS, "the error");
}
static void thread_port_released_too_often(void) {
  (void)mach_port_deallocate(mach_task_self(), this_thread());
}
static void thread_port_released_once_each(void) {
  const mach_port_t self = mach_thread_self();
  same(mach_port_deallocate(mach_task_self(), self), KERN_SUCCESS, "given back");
}
static void control_port_sent(void) {
  struct {
    mach_msg_header_t header;
    mach_msg_body_t body;
    mach_msg_port_descriptor_t descriptor;
  } message;
  memset(&message, 0, sizeof message);
  message.header.msgh_bits = MACH_MSGH_BITS_COMPLEX | MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
  message.header.msgh_remote_port = port;
  message.body.msgh_descriptor_count = 1;
  message.descriptor.name = mach_task_self();
  message.descriptor.disposition = MACH_MSG_TYPE_COPY_SEND;
  message.descriptor.type = MACH_MSG_PORT_DESCRIPTOR;
  same(mach_msg(&message.header, MACH_SEND_MSG, sizeof message, 0, 0, 0, 0), MACH_MSG_SUCCESS, "sent");
}
static void guarded_port_destroyed(void) {
  mach_port_options_t options = {MPO_CONTEXT_AS_GUARD, {0}, {0, 0}};
  mach_port_t guarded;
  must(mach_port_construct(mach_task_self(), &options, 7, &guarded) == KERN_SUCCESS);
  (void)mach_port_mod_refs(mach_task_self(), guarded, MACH_PORT_RIGHT_RECEIVE, -1);
}
static void strict_context_changed(void) {
  mach_port_options_t options = {MPO_CONTEXT_AS_GUARD | MPO_STRICT, {0}, {0, 0}};
  mach_port_t guarded;
  must(mach_port_construct(mach_task_self(), &options, 7, &guarded) == KERN_SUCCESS);
  (void)mach_port_set_context(mach_task_self(), guarded, 8);
}
static void state_of_a_thread_set(void) {
  natural_t state[STATE_WORDS];
  memset(state, 0, sizeof state);
  same(thread_set_state(this_thread(), MACHINE_THREAD_STATE, state, 0), KERN_INVALID_ARGUMENT, "the error");
}
static void receive_from_nowhere(void) {
  mach_msg_header_t message[4];
  same(mach_msg(message, MACH_RCV_MSG, 0, sizeof message, 0x4243, 0, 0), MACH_RCV_INVALID_NAME, "the error");
}
static void receive_by_a_send_right(void) {
  mach_msg_header_t message[4];
  same(mach_msg(message, MACH_RCV_MSG, 0, sizeof message, mach_task_self(), 0, 0), MACH_RCV_INVALID_NAME, "the error");
}
static void receive_from_a_port_that_was_destroyed(void) {
  mach_msg_header_t message[4];
  must(mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_RECEIVE, -1) == KERN_SUCCESS);
  same(mach_msg(message, MACH_RCV_MSG, 0, sizeof message, port, 0, 0), MACH_RCV_INVALID_NAME, "the error");
}
static void exception_port_that_is_not_there(void) {
  same(take_exceptions(0x4243, WITH_CODES(EXCEPTION_STATE)), MACH_SEND_INVALID_RIGHT, "the error");
}
static void destruct_without_references(void) {
  must(mach_port_deallocate(mach_task_self(), port) == KERN_SUCCESS);
  same(mach_port_destruct(mach_task_self(), port, -1, 0), KERN_INVALID_RIGHT, "the error");
}
static void looked_at_what_is_not_there(void) {
  mach_port_type_t type;
  mach_port_urefs_t count;
  same(mach_port_type(mach_task_self(), 0x4243, &type), KERN_INVALID_NAME, "its type");
  same(mach_port_get_refs(mach_task_self(), 0x4243, MACH_PORT_RIGHT_SEND, &count), KERN_INVALID_NAME, "its references");
}

static const struct {
  const char *name;
  slip_t function;
  enum outcome outcome;
} slips[] = {
    {"a right released twice", release_twice, DIES_IF_HARDENED},
    {"a name that is not there", name_that_is_not_there, DIES_IF_HARDENED},
    {"more references than there are", too_many_references, DIES_IF_HARDENED},
    {"a message sent by the raw trap", raw_trap, DIES},
    {"a message received by the raw trap", raw_trap_that_receives, LIVES},
    {"a request to a kernel object by hand", kernel_object_by_hand, DIES},
    {"the thread's port released once too often", thread_port_released_too_often, DIES_IF_HARDENED},
    {"the thread's port released as often as it was got", thread_port_released_once_each, LIVES},
    {"a control port sent in a message", control_port_sent, DIES_IF_HARDENED},
    {"a guarded port destroyed", guarded_port_destroyed, DIES},
    {"a strict guard's context changed", strict_context_changed, DIES},
    {"thread_set_state on oneself", state_of_a_thread_set, LIVES},
    {"receiving from a name that is not there", receive_from_nowhere, LIVES},
    {"receiving from a port that was destroyed", receive_from_a_port_that_was_destroyed, LIVES},
    {"receiving by a send right", receive_by_a_send_right, DIES_IF_HARDENED},
    {"an exception port that is not there", exception_port_that_is_not_there, DIES_IF_HARDENED},
    {"destruct with a reference that is not there", destruct_without_references, DIES_IF_HARDENED},
    {"looking at a name that is not there", looked_at_what_is_not_there, LIVES},
};

int main(void) {
  for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++) {
    slip_t slip = slips[i].function;
    enum outcome outcome = slips[i].outcome;
    if (outcome == DIES_IF_HARDENED) outcome = host_is_hardened() ? DIES : LIVES;
    /* Old programs under Rosetta may. */
    if (slips[i].function == raw_trap && host_is("translated")) outcome = LIVES;
    if (outcome == DIES) {
      child_dies_of(SIGKILL, in_child, &slip, slips[i].name);
    } else {
      child_passes(in_child, &slip, slips[i].name);
    }
  }
  return tap_done();
}
