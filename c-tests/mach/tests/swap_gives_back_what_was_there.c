/* thread_swap_exception_ports hands out the earlier ports with rights of their own, equal ones together; set drops
 * them; get changes nothing. What may not be set is refused with the error of set_exception_ports_validation. */
#include "exception_server.h"
#include "host_profile.h"

/* What a release lets every program set, with every port, by every call. */
static int harmless(void) {
  return WITH_CODES(host_release() >= MACOS_13 ? EXCEPTION_IDENTITY_PROTECTED : EXCEPTION_STATE);
}

typedef struct earlier {
  exception_mask_t masks[EXC_TYPES_COUNT];
  mach_msg_type_number_t count;
  mach_port_t ports[EXC_TYPES_COUNT];
  exception_behavior_t behaviors[EXC_TYPES_COUNT];
  thread_state_flavor_t flavors[EXC_TYPES_COUNT];
} earlier_t;

static kern_return_t swap_to(mach_port_t port, exception_mask_t mask, earlier_t *earlier) {
  earlier->count = EXC_TYPES_COUNT;
  return thread_swap_exception_ports(this_thread(), mask, port, harmless(), STATE_FLAVOR,
                                     earlier->masks, &earlier->count, earlier->ports, earlier->behaviors,
                                     earlier->flavors);
}

static kern_return_t get(exception_mask_t mask, earlier_t *now) {
  now->count = EXC_TYPES_COUNT;
  return thread_get_exception_ports(this_thread(), mask, now->masks, &now->count, now->ports, now->behaviors,
                                    now->flavors);
}

static void refusals(mach_port_t port) {
  const mach_port_t self = this_thread();
  same(thread_set_exception_ports(self, 1u << 20, port, WITH_CODES(EXCEPTION_STATE), STATE_FLAVOR),
       KERN_INVALID_ARGUMENT, "a type that there is not");
  same(thread_set_exception_ports(self, TEST_MASK, port, WITH_CODES(77), STATE_FLAVOR), KERN_INVALID_ARGUMENT,
       "a behavior that there is not");
  same(thread_set_exception_ports(self, TEST_MASK, port, WITH_CODES(EXCEPTION_STATE), 1000), KERN_INVALID_ARGUMENT,
       "a flavor that there is not");
  same(thread_set_exception_ports(self, TEST_MASK, port, EXCEPTION_IDENTITY_PROTECTED, 0), KERN_INVALID_ARGUMENT,
       "a protected identity without codes of 64 bits");
  same(thread_set_exception_ports(0x55503, TEST_MASK, port, WITH_CODES(EXCEPTION_STATE), STATE_FLAVOR),
       MACH_SEND_INVALID_DEST, "a thread that is none");
  same(thread_set_exception_ports(mach_task_self(), TEST_MASK, port, WITH_CODES(EXCEPTION_STATE), STATE_FLAVOR),
       KERN_INVALID_ARGUMENT, "a task that is no thread");
  mach_port_options_t options = {MPO_INSERT_SEND_RIGHT | MPO_CONTEXT_AS_GUARD | MPO_IMMOVABLE_RECEIVE, {0}, {0, 0}};
  mach_port_t immovable = MACH_PORT_NULL;
  must(mach_port_construct(mach_task_self(), &options, 1, &immovable) == KERN_SUCCESS);
  same(take_exceptions(immovable, WITH_CODES(EXCEPTION_STATE)), KERN_INVALID_RIGHT,
       "a port whose receive right cannot move");
  must(mach_port_destruct(mach_task_self(), immovable, -1, 1) == KERN_SUCCESS);
  options.flags = MPO_INSERT_SEND_RIGHT | MPO_EXCEPTION_PORT;
  must(mach_port_construct(mach_task_self(), &options, 0, &immovable) == KERN_SUCCESS);
  same(take_exceptions(immovable, WITH_CODES(EXCEPTION_STATE)), KERN_SUCCESS, "unless it was made for exceptions");
  take_no_exceptions();
  must(mach_port_destruct(mach_task_self(), immovable, -1, 0) == KERN_SUCCESS);
  const char *const reason = host_lacks(NEEDS_HARMLESS_SLIPS);
  if (reason != NULL) {
    tap_skip(reason, "a port that is not there");
    return;
  }
  same(take_exceptions(0x55503, WITH_CODES(EXCEPTION_STATE)), MACH_SEND_INVALID_RIGHT, "a port that is not there");
}

int main(void) {
  host_must_have(NEEDS_DELIVERY);
  const mach_port_t first = new_port(), second = new_port();
  const simulated_rights_t before = rights_now();
  earlier_t earlier;

  must(thread_set_exception_ports(this_thread(), EXC_MASK_BAD_ACCESS | EXC_MASK_ARITHMETIC, first,
                                  harmless(), STATE_FLAVOR) == KERN_SUCCESS);
  same_rights(&before, "setting takes a right of the kernel's own");
  same(swap_to(second, TEST_MASK, &earlier), KERN_SUCCESS, "swapping");
  same(earlier.count, 2, "two kinds were there");
  same(earlier.masks[0], EXC_MASK_BAD_ACCESS | EXC_MASK_ARITHMETIC, "equal ones together");
  same(earlier.ports[0], first, "with their port");
  same(earlier.behaviors[0], harmless(), "its behavior");
  same(earlier.flavors[0], STATE_FLAVOR, "and its flavor");
  same(earlier.masks[1], EXC_MASK_BAD_INSTRUCTION | EXC_MASK_BREAKPOINT, "and those that had none");
  same(earlier.ports[1], MACH_PORT_NULL, "without one");
  same(references(first, MACH_PORT_RIGHT_SEND), 2, "the port that is handed out has a reference for it");
  same(get(TEST_MASK, &earlier), KERN_SUCCESS, "getting");
  same(earlier.count, 1, "shows one kind");
  same(earlier.ports[0], second, "that was swapped in");
  same(references(second, MACH_PORT_RIGHT_SEND), 2, "with a reference as well");
  must(mach_port_deallocate(mach_task_self(), second) == KERN_SUCCESS);
  must(mach_port_deallocate(mach_task_self(), first) == KERN_SUCCESS);
  same_rights(&before, "given back, all is as before");

  mach_port_status_t status;
  mach_msg_type_number_t count = MACH_PORT_RECEIVE_STATUS_COUNT;
  const mach_port_t third = new_port();
  must(take_exceptions(third, harmless()) == KERN_SUCCESS);
  must(mach_port_deallocate(mach_task_self(), third) == KERN_SUCCESS);
  must(mach_port_get_attributes(mach_task_self(), third, MACH_PORT_RECEIVE_STATUS, (mach_port_info_t)&status,
                                &count) == KERN_SUCCESS);
  same(status.mps_srights, 1, "the thread's own send right keeps a port known");
  take_no_exceptions();
  must(mach_port_get_attributes(mach_task_self(), third, MACH_PORT_RECEIVE_STATUS, (mach_port_info_t)&status,
                                &count) == KERN_SUCCESS);
  same(status.mps_srights, 0, "until another one, or none, is set");
  must(mach_port_insert_right(mach_task_self(), third, third, MACH_MSG_TYPE_MAKE_SEND) == KERN_SUCCESS);
  must(swap_to(third, TEST_MASK, &earlier) == KERN_SUCCESS);
  must(mach_port_deallocate(mach_task_self(), third) == KERN_SUCCESS);
  take_no_exceptions();
  must(mach_port_get_attributes(mach_task_self(), third, MACH_PORT_RECEIVE_STATUS, (mach_port_info_t)&status,
                                &count) == KERN_SUCCESS);
  same(status.mps_srights, 0, "swapped in as well, none is left in the kernel");
  must(mach_port_mod_refs(mach_task_self(), third, MACH_PORT_RIGHT_RECEIVE, -1) == KERN_SUCCESS);
  refusals(first);
  same_rights(&before, "nothing is left");
  return tap_done();
}
