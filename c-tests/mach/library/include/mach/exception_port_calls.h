/* The same calls on the exception ports of threads (<mach/thread_act.h>) and of tasks (<mach/task.h>). */
#ifndef MACH_EXCEPTION_PORT_CALLS_H
#define MACH_EXCEPTION_PORT_CALLS_H

#include <mach/mach_types.h>

#define MACH_EXCEPTION_PORT_CALLS(kind, target_t)                                                                      \
  kern_return_t kind##_set_exception_ports(target_t target, exception_mask_t mask, mach_port_t port,                   \
                                           exception_behavior_t behavior, thread_state_flavor_t flavor);               \
  kern_return_t kind##_get_exception_ports(target_t target, exception_mask_t mask, exception_mask_array_t masks,       \
                                           mach_msg_type_number_t *count, exception_handler_array_t ports,             \
                                           exception_behavior_array_t behaviors, exception_flavor_array_t flavors);    \
  kern_return_t kind##_swap_exception_ports(target_t target, exception_mask_t mask, mach_port_t port,                  \
                                            exception_behavior_t behavior, thread_state_flavor_t flavor,               \
                                            exception_mask_array_t masks, mach_msg_type_number_t *count,               \
                                            exception_handler_array_t ports, exception_behavior_array_t behaviors,     \
                                            exception_flavor_array_t flavors)

#endif
