/* Calls on threads, as <mach/thread_act.h> of macOS declares them. */
#ifndef MACH_THREAD_ACT_H
#define MACH_THREAD_ACT_H

#include <mach/exception_port_calls.h>
#include <mach/mach_types.h>

#ifdef __cplusplus
extern "C" {
#endif

kern_return_t thread_get_state(thread_act_t thread, thread_state_flavor_t flavor, thread_state_t state,
                               mach_msg_type_number_t *count);
kern_return_t thread_set_state(thread_act_t thread, thread_state_flavor_t flavor, thread_state_t state,
                               mach_msg_type_number_t count);
kern_return_t thread_suspend(thread_act_t thread);
kern_return_t thread_resume(thread_act_t thread);
kern_return_t thread_terminate(thread_act_t thread);
MACH_EXCEPTION_PORT_CALLS(thread, thread_act_t);

#ifdef __cplusplus
}
#endif

#endif
