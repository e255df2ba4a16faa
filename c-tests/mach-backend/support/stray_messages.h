/* Messages that somebody who got hold of a send right may send to one of the library's ports. */
#ifndef STRAY_MESSAGES_H
#define STRAY_MESSAGES_H

#include <mach/mach.h>

#include "wasm_code.h"

/* A request of mach_exception_raise_state as the kernel lays it out, in 32-bit words after the header. */
typedef struct exception_request_t {
  mach_msg_header_t header;
  NDR_record_t ndr;
  natural_t exception;
  natural_t code_count;
  natural_t codes[4];
  natural_t flavor;
  natural_t state_count;
  natural_t state[256];
} exception_request_t;

/* A forged one, whole: what the kernel would send for a memory fault with a state of zeros. */
exception_request_t forged_exception(void);
/* Its size, for a state of `state_count` words. */
mach_msg_size_t exception_request_size(const exception_request_t *request);

/* Sends `size` bytes to `port`, to which the task has a send right; with a reply port, if that is not MACH_PORT_NULL,
 * to which a send-once right is made. Waits while the queue is full. */
void send_stray(mach_msg_header_t *message, mach_msg_size_t size, mach_port_t port, mach_port_t reply);
/* An empty message with this id. */
void send_empty(int id, mach_port_t port);

/* How many messages the library says it has dropped. */
unsigned long dropped_messages(void);
/* Returns once it says at least that many. */
void wait_until_dropped(unsigned long count);

/* The calling thread's port of the library's, with a send right of the caller's. */
mach_port_t library_port_of_this_thread(void);

#endif
