/* References of send rights and dead names are counted as ipc_right_delta does; each mistake has its own error. */
#include "host_profile.h"

enum { SEND = MACH_PORT_RIGHT_SEND, RECEIVE = MACH_PORT_RIGHT_RECEIVE, DEAD = MACH_PORT_RIGHT_DEAD_NAME };
enum { REFERENCES_MAX = 0xffff };

static kern_return_t change(mach_port_t name, unsigned int right, int delta) {
  return mach_port_mod_refs(mach_task_self(), name, right, delta);
}

static void counted(void) {
  const mach_port_t port = new_port();
  same(references(port, SEND), 1, "one send right");
  same(references(port, RECEIVE), 1, "and the receive right, under the same name");
  same(type_of(port), MACH_PORT_TYPE_SEND_RECEIVE, "which has both types");
  same(mach_port_insert_right(mach_task_self(), port, port, MACH_MSG_TYPE_MAKE_SEND), KERN_SUCCESS, "another");
  same(references(port, SEND), 2, "is counted");
  same(change(port, SEND, 5), KERN_SUCCESS, "five more by mod_refs");
  same(references(port, SEND), 7, "are counted");
  same(mach_port_deallocate(mach_task_self(), port), KERN_SUCCESS, "one less by deallocate");
  same(references(port, SEND), 6, "is counted");
  same(change(port, SEND, REFERENCES_MAX), KERN_SUCCESS, "more than can be counted");
  same(references(port, SEND), REFERENCES_MAX, "is the most that can be");
  same(change(port, SEND, -1), KERN_SUCCESS, "and one less");
  same(references(port, SEND), REFERENCES_MAX, "is the same, for ever");
  same(change(port, SEND, -REFERENCES_MAX), KERN_SUCCESS, "until all go at once");
  same(type_of(port), MACH_PORT_TYPE_RECEIVE, "and only the receive right is left");
  same(change(port, RECEIVE, -1), KERN_SUCCESS, "which goes too");
  same(type_of(port), 0, "and the name is free");
}

static void dead(void) {
  const mach_port_t port = new_port();
  same(change(port, SEND, 2), KERN_SUCCESS, "three references of a send right");
  same(change(port, RECEIVE, -1), KERN_SUCCESS, "lose their port");
  same(type_of(port), MACH_PORT_TYPE_DEAD_NAME, "and are a dead name");
  same(references(port, DEAD), 3, "with as many references");
  same(change(port, SEND, -1), KERN_INVALID_RIGHT, "a send right it is no more");
  same(mach_port_deallocate(mach_task_self(), port), KERN_SUCCESS, "deallocate takes one");
  same(change(port, DEAD, -2), KERN_SUCCESS, "mod_refs the others");
  same(type_of(port), 0, "and the name is free");
  mach_port_t name = MACH_PORT_NULL;
  same(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_DEAD_NAME, &name), KERN_SUCCESS, "a dead name is made");
  same(references(name, DEAD), 1, "with a reference");
  same(mach_port_destroy(mach_task_self(), name), KERN_SUCCESS, "destroy frees it");
}

static void mistakes(void) {
  const mach_port_t port = new_port();
  mach_port_t set = MACH_PORT_NULL;
  must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_PORT_SET, &set) == KERN_SUCCESS);
  same(change(port, SEND, -2), KERN_INVALID_VALUE, "more references than there are");
  same(change(port, SEND, REFERENCES_MAX + 1), KERN_INVALID_VALUE, "more than there can be, at once");
  same(references(port, SEND), 1, "change nothing");
  same(change(port, RECEIVE, 1), KERN_INVALID_VALUE, "a second receive right");
  same(change(port, DEAD, -1), KERN_INVALID_RIGHT, "a dead name that lives");
  same(change(set, SEND, 1), KERN_INVALID_RIGHT, "a set has no send right");
  same(change(set, MACH_PORT_RIGHT_PORT_SET, -2), KERN_INVALID_VALUE, "nor is there two of it");
  same(change(port, 17, 1), KERN_INVALID_VALUE, "a right that there is not");
  same(change(0xabcd03, SEND, 1), KERN_INVALID_NAME, "a name that is not there");
  same(mach_port_deallocate(mach_task_self(), 0xabcd03), KERN_INVALID_NAME, "deallocate says so too");
  same(mach_port_deallocate(mach_task_self(), MACH_PORT_NULL), KERN_SUCCESS, "MACH_PORT_NULL can be deallocated");
  same(mach_port_deallocate(mach_task_self(), MACH_PORT_DEAD), KERN_SUCCESS, "and MACH_PORT_DEAD");
  must(mach_port_deallocate(mach_task_self(), port) == KERN_SUCCESS);
  same(mach_port_deallocate(mach_task_self(), port), KERN_INVALID_RIGHT, "a receive right is not deallocated");
  same(mach_port_insert_right(mach_task_self(), set, set, MACH_MSG_TYPE_MAKE_SEND), KERN_INVALID_RIGHT,
       "a set gives no send right");
  same(mach_port_insert_right(mach_task_self(), port, port, MACH_MSG_TYPE_COPY_SEND), KERN_INVALID_RIGHT,
       "what is not there is not copied");
  same(mach_port_insert_right(mach_task_self(), port, MACH_PORT_NULL, MACH_MSG_TYPE_MAKE_SEND),
       KERN_INVALID_CAPABILITY, "nothing is no right");
  same(mach_port_allocate(0x7777703, MACH_PORT_RIGHT_RECEIVE, &set), MACH_SEND_INVALID_DEST, "a task that is none");
  same(mach_port_allocate(port, MACH_PORT_RIGHT_RECEIVE, &set), MACH_SEND_INVALID_DEST, "a port that is no task");
  same(mach_port_allocate(this_thread(), MACH_PORT_RIGHT_RECEIVE, &set), KERN_INVALID_TASK, "a thread that is no task");
  same(mach_port_allocate(mach_task_self(), 9, &set), KERN_INVALID_VALUE, "a right that cannot be allocated");
  must(change(port, RECEIVE, -1) == KERN_SUCCESS);
  must(change(set, MACH_PORT_RIGHT_PORT_SET, -1) == KERN_SUCCESS);
}

static void guarded(void) {
  mach_port_options_t options = {MPO_INSERT_SEND_RIGHT | MPO_CONTEXT_AS_GUARD | MPO_STRICT | MPO_QLIMIT, {7}, {0, 0}};
  mach_port_t port = MACH_PORT_NULL;
  same(mach_port_construct(mach_task_self(), &options, 0x1234, &port), KERN_SUCCESS, "a guarded port");
  same(references(port, SEND), 1, "comes with a send right");
  mach_port_status_t status;
  mach_msg_type_number_t count = MACH_PORT_RECEIVE_STATUS_COUNT;
  must(mach_port_get_attributes(mach_task_self(), port, MACH_PORT_RECEIVE_STATUS, (mach_port_info_t)&status, &count) ==
       KERN_SUCCESS);
  same(status.mps_qlimit, 7, "and its limit");
  same(status.mps_flags, MACH_PORT_STATUS_FLAG_GUARDED | MACH_PORT_STATUS_FLAG_STRICT_GUARD, "and its guard");
  mach_port_context_t context = 1;
  same(mach_port_get_context(mach_task_self(), port, &context), KERN_SUCCESS, "whose value");
  same(context, 0, "is not told");
  same(mach_port_destruct(mach_task_self(), port, -1, 0x1234), KERN_SUCCESS, "destruct with it takes both rights");
  same(type_of(port), 0, "and frees the name");
  options.flags = MPO_QLIMIT;
  options.mpl.mpl_qlimit = MACH_PORT_QLIMIT_MAX + 1;
  same(mach_port_construct(mach_task_self(), &options, 0, &port), KERN_INVALID_VALUE, "too high a limit");
  options.flags = 0;
  same(mach_port_construct(mach_task_self(), &options, 0x5678, &port), KERN_SUCCESS, "a port with a context");
  must(mach_port_get_context(mach_task_self(), port, &context) == KERN_SUCCESS);
  same(context, 0x5678, "tells it");
  same(mach_port_set_context(mach_task_self(), port, 0x9abc), KERN_SUCCESS, "and lets it be changed");
  must(mach_port_get_context(mach_task_self(), port, &context) == KERN_SUCCESS);
  same(context, 0x9abc, "for good");
  same(mach_port_destruct(mach_task_self(), port, 0, 0), KERN_SUCCESS, "without a guard, none is needed");
}

int main(void) {
  const simulated_rights_t before = rights_now();
  counted();
  dead();
  if (host_lacks(NEEDS_HARMLESS_SLIPS) == NULL)
    mistakes();
  else
    tap_skip(host_lacks(NEEDS_HARMLESS_SLIPS), "mistakes are errors");
  guarded();
  same_rights(&before, "nothing is left");
  return tap_done();
}
