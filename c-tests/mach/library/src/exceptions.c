/* Exception ports of threads and tasks, and what is done with a thread. */
#include <mach/mach.h>

#include "call.h"

#define EXCEPTION_PORT_CALLS(kind, target_type)                                                                        \
  kern_return_t kind##_set_exception_ports(target_type target, exception_mask_t mask, mach_port_t port,                \
                                           exception_behavior_t behavior, thread_state_flavor_t flavor) {              \
    return CALL(kind##_set_exception_ports, target, mask, port, (uint64_t)(uint32_t)behavior, (uint64_t)flavor);       \
  }                                                                                                                    \
  kern_return_t kind##_get_exception_ports(target_type target, exception_mask_t mask, exception_mask_array_t masks,    \
                                           mach_msg_type_number_t *count, exception_handler_array_t ports,             \
                                           exception_behavior_array_t behaviors, exception_flavor_array_t flavors) {   \
    return CALL(kind##_get_exception_ports, target, mask, POINTER(masks), POINTER(count), POINTER(ports),              \
                POINTER(behaviors), POINTER(flavors));                                                                 \
  }                                                                                                                    \
  kern_return_t kind##_swap_exception_ports(target_type target, exception_mask_t mask, mach_port_t port,               \
                                            exception_behavior_t behavior, thread_state_flavor_t flavor,               \
                                            exception_mask_array_t masks, mach_msg_type_number_t *count,               \
                                            exception_handler_array_t ports, exception_behavior_array_t behaviors,     \
                                            exception_flavor_array_t flavors) {                                        \
    return CALL(kind##_swap_exception_ports, target, mask, port, (uint64_t)(uint32_t)behavior, (uint64_t)flavor,       \
                POINTER(masks), POINTER(count), POINTER(ports), POINTER(behaviors), POINTER(flavors));                 \
  }

EXCEPTION_PORT_CALLS(thread, thread_act_t)
EXCEPTION_PORT_CALLS(task, task_t)

kern_return_t thread_get_state(thread_act_t thread, thread_state_flavor_t flavor, thread_state_t state,
                               mach_msg_type_number_t *count) {
  return CALL(thread_get_state, thread, (uint64_t)flavor, POINTER(state), POINTER(count));
}

kern_return_t thread_set_state(thread_act_t thread, thread_state_flavor_t flavor, thread_state_t state,
                               mach_msg_type_number_t count) {
  return CALL(thread_set_state, thread, (uint64_t)flavor, POINTER(state), count);
}

kern_return_t thread_suspend(thread_act_t thread) {
  return CALL(thread_suspend, thread);
}

kern_return_t thread_resume(thread_act_t thread) {
  return CALL(thread_resume, thread);
}

kern_return_t thread_terminate(thread_act_t thread) {
  return CALL(thread_terminate, thread);
}
