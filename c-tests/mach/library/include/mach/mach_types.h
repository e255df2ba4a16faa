/* Names for ports of one kind or another, as <mach/mach_types.h> of macOS has them. */
#ifndef MACH_MACH_TYPES_H
#define MACH_MACH_TYPES_H

#include <mach/exception_types.h>
#include <mach/kern_return.h>
#include <mach/message.h>
#include <mach/port.h>
#include <mach/thread_status.h>

typedef mach_port_t task_t;
typedef mach_port_t task_read_t;
typedef mach_port_t task_inspect_t;
typedef mach_port_t thread_t;
typedef mach_port_t thread_act_t;
typedef mach_port_t thread_read_t;
typedef mach_port_t ipc_space_t;
typedef mach_port_t vm_map_t;
typedef thread_act_t *thread_act_array_t;
typedef mach_port_t *exception_handler_array_t;

#define TASK_NULL ((task_t)0)
#define THREAD_NULL ((thread_t)0)

#endif
