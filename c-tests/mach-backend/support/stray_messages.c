#include "stray_messages.h"

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "faults.h"

exception_request_t forged_exception(void) {
  exception_request_t request;
  memset(&request, 0, sizeof request);
  request.header.msgh_id = 2406;
  request.ndr = NDR_record;
  request.exception = EXC_BAD_ACCESS;
  request.code_count = 2;
  request.codes[0] = KERN_INVALID_ADDRESS;
  request.flavor = STATE_FLAVOR;
  request.state_count = STATE_WORDS;
  return request;
}

mach_msg_size_t exception_request_size(const exception_request_t *request) {
  return (mach_msg_size_t)(offsetof(exception_request_t, state) + request->state_count * sizeof(natural_t));
}

void send_stray(mach_msg_header_t *message, mach_msg_size_t size, mach_port_t port, mach_port_t reply) {
  const mach_msg_bits_t complex = message->msgh_bits & MACH_MSGH_BITS_COMPLEX;
  message->msgh_bits =
      complex | MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, reply == MACH_PORT_NULL ? 0 : MACH_MSG_TYPE_MAKE_SEND_ONCE);
  message->msgh_size = size;
  message->msgh_remote_port = port;
  message->msgh_local_port = reply;
  must(mach_msg(message, MACH_SEND_MSG, size, 0, MACH_PORT_NULL, MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL) ==
       MACH_MSG_SUCCESS);
}

void send_empty(int id, mach_port_t port) {
  mach_msg_header_t message;
  memset(&message, 0, sizeof message);
  message.msgh_id = id;
  send_stray(&message, sizeof message, port, MACH_PORT_NULL);
}

unsigned long dropped_messages(void) {
  unsigned long answered = 0, dropped = 0;
  char *const text = described();
  const char *const counts = strstr(text, "; ");
  for (const char *from = counts; from != NULL; from = strstr(from + 1, "; ")) {
    if (sscanf(from, "; %lu exceptions answered, %lu foreign messages dropped", &answered, &dropped) == 2) break;
  }
  free(text);
  return dropped;
}

void wait_until_dropped(unsigned long count) {
  while (dropped_messages() < count) sched_yield();
}

mach_port_t library_port_of_this_thread(void) {
  exception_mask_t masks[EXC_TYPES_COUNT];
  mach_port_t ports[EXC_TYPES_COUNT];
  exception_behavior_t behaviors[EXC_TYPES_COUNT];
  thread_state_flavor_t flavors[EXC_TYPES_COUNT];
  mach_msg_type_number_t count = EXC_TYPES_COUNT;
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(thread_get_exception_ports(pthread_mach_thread_np(pthread_self()), EXC_MASK_BAD_ACCESS, masks, &count, ports,
                                  behaviors, flavors) == KERN_SUCCESS);
  must(count == 1 && MACH_PORT_VALID(ports[0]));
  return ports[0];
}
