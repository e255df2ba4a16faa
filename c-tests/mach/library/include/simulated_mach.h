/*
 * What only the simulated kernel can tell or do. A Mac has nothing of this.
 *
 * A thread is named by its port; MACH_PORT_NULL means the caller.
 */
#ifndef SIMULATED_MACH_H
#define SIMULATED_MACH_H

#include <stdint.h>

#include <mach/mach.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the process runs in the simulated kernel. Without it, Mach calls answer KERN_NOT_SUPPORTED. */
int simulated_mach_is_here(void);

/* Rights in the calling task. Names and references differ where a name has several. */
typedef struct simulated_rights {
  uint64_t receive;
  uint64_t send_names;
  uint64_t send_references;
  uint64_t send_once;
  uint64_t port_sets;
  uint64_t dead_names;
  uint64_t dead_references;
} simulated_rights_t;
kern_return_t simulated_rights(simulated_rights_t *rights);

/* How many Mach calls a thread has made that enter the kernel on a Mac. Those of this header do not count. */
kern_return_t simulated_thread_calls(mach_port_t thread, uint64_t *calls);

/* Messages that a thread has sent and received by mach_msg, and their bytes without trailers, which the kernel copies.
 * One that waits for room in its port's queue counts as sent. */
typedef struct simulated_messages {
  uint64_t received;
  uint64_t received_bytes;
  uint64_t sent;
  uint64_t sent_bytes;
} simulated_messages_t;
kern_return_t simulated_thread_messages(mach_port_t thread, simulated_messages_t *messages);

/* Exceptions of the calling task since it began: sent to each level, taken there, and left to be signals; guard
 * violations that did not kill; and exception ports set with a behavior that this kernel does not forbid, but
 * counts. */
typedef struct simulated_exceptions {
  uint64_t thread_level;
  uint64_t thread_level_handled;
  uint64_t task_level;
  uint64_t task_level_handled;
  uint64_t became_signals;
  uint64_t violations;
  uint64_t behaviors_counted;
} simulated_exceptions_t;
kern_return_t simulated_exceptions(simulated_exceptions_t *exceptions);

/* What is to happen to a thread, once, the next time that it can. */
typedef enum simulated_injection {
  /* Its exception's message has been sent, when the waiting for the answer is interrupted. */
  SIMULATED_INTERRUPT_EXCEPTION = 1,
  /* Its waiting for a message is interrupted. */
  SIMULATED_INTERRUPT_RECEIVE = 2,
  /* Its exception goes to the signal without a message. */
  SIMULATED_BYPASS_EXCEPTION = 3
} simulated_injection_t;
kern_return_t simulated_inject(mach_port_t thread, simulated_injection_t injection);

/* thread_set_exception_ports as somebody outside of the task could call it who may do anything: a debugger with the
 * entitlement for it (osfmk/kern/ipc_tt.c, SET_EXCEPTION_ENTITLEMENT). The right to the port is the caller's. */
kern_return_t simulated_set_exception_ports_from_outside(mach_port_t thread, exception_mask_t mask, mach_port_t port,
                                                         exception_behavior_t behavior, thread_state_flavor_t flavor);

/* The name of the host profile; KERN_NO_SPACE if `size` is too small. */
kern_return_t simulated_profile(char *name, uint64_t size);

#ifdef __cplusplus
}
#endif

#endif
