/*
 * What Wasmtime's own Mach code asks of the kernel when it first enters WebAssembly on a thread (its
 * runtime/vm/sys/unix/machports.rs, lazy_per_thread_init): exceptions of this thread with the behavior
 * EXCEPTION_DEFAULT. For Python's ctypes.
 */
#include <mach/mach.h>

#ifndef THREAD_STATE_NONE /* <mach/i386/thread_status.h>, <mach/arm/thread_status.h> */
#if defined(__x86_64__)
#define THREAD_STATE_NONE 13
#else
#define THREAD_STATE_NONE 5
#endif
#endif

kern_return_t ask_for_stock_behavior(void);

kern_return_t ask_for_stock_behavior(void) {
  mach_port_t port = MACH_PORT_NULL, thread = mach_thread_self();
  kern_return_t result = mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port);
  if (result == KERN_SUCCESS)
    result = mach_port_insert_right(mach_task_self(), port, port, MACH_MSG_TYPE_MAKE_SEND);
  if (result == KERN_SUCCESS)
    result = thread_set_exception_ports(thread, EXC_MASK_BAD_ACCESS | EXC_MASK_BAD_INSTRUCTION | EXC_MASK_ARITHMETIC,
                                        port, (exception_behavior_t)(EXCEPTION_DEFAULT | MACH_EXCEPTION_CODES),
                                        THREAD_STATE_NONE);
  mach_port_deallocate(mach_task_self(), thread);
  return result;
}
