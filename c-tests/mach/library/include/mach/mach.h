/* All of Mach that there is here, as <mach/mach.h> of macOS. */
#ifndef MACH_MACH_H
#define MACH_MACH_H

#include <mach/exception_types.h>
#include <mach/kern_return.h>
#include <mach/mach_init.h>
#include <mach/mach_port.h>
#include <mach/mach_types.h>
#include <mach/message.h>
#include <mach/mig_errors.h>
#include <mach/ndr.h>
#include <mach/notify.h>
#include <mach/port.h>
#include <mach/task.h>
#include <mach/thread_act.h>
#include <mach/thread_status.h>
#include <mach/vm_map.h>

#ifdef __cplusplus
extern "C" {
#endif

mach_msg_return_t mach_msg_send(mach_msg_header_t *message);
mach_msg_return_t mach_msg_receive(mach_msg_header_t *message);
void mach_msg_destroy(mach_msg_header_t *message);

/* The raw traps. libSystem exports them, and a program that sends with them dies. */
mach_msg_return_t mach_msg_trap(mach_msg_header_t *message, mach_msg_option_t option, mach_msg_size_t send_size,
                                mach_msg_size_t receive_limit, mach_port_name_t receive_name,
                                mach_msg_timeout_t timeout, mach_port_name_t notify);
mach_msg_return_t mach_msg_overwrite_trap(mach_msg_header_t *message, mach_msg_option_t option,
                                          mach_msg_size_t send_size, mach_msg_size_t receive_limit,
                                          mach_port_name_t receive_name, mach_msg_timeout_t timeout,
                                          mach_port_name_t notify, mach_msg_header_t *receive_message,
                                          mach_msg_size_t receive_scatter_size);

#ifdef __cplusplus
}
#endif

#endif
