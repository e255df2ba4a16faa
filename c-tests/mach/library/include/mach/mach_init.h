/* The task itself and the calling thread, as <mach/mach_init.h> of macOS has them. */
#ifndef MACH_MACH_INIT_H
#define MACH_MACH_INIT_H

#include <pthread.h>

#include <mach/mach_types.h>

#ifdef __cplusplus
extern "C" {
#endif

extern mach_port_t mach_task_self_;
#define mach_task_self() mach_task_self_

/* Each call adds a reference, which is the caller's. */
mach_port_t mach_thread_self(void);
mach_port_t mach_reply_port(void);
/* Adds no reference. Here, of the calling thread only. */
mach_port_t pthread_mach_thread_np(pthread_t thread);

#ifdef __cplusplus
}
#endif

#endif
