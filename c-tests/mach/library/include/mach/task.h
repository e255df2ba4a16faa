/* Calls on tasks, as <mach/task.h> of macOS declares them. */
#ifndef MACH_TASK_H
#define MACH_TASK_H

#include <mach/exception_port_calls.h>
#include <mach/mach_types.h>

#ifdef __cplusplus
extern "C" {
#endif

kern_return_t task_threads(task_inspect_t task, thread_act_array_t *threads, mach_msg_type_number_t *thread_count);
MACH_EXCEPTION_PORT_CALLS(task, task_t);

#ifdef __cplusplus
}
#endif

#endif
