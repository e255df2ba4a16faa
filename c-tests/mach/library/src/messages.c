/* mach_msg and what libSystem builds on it. Interruptions are retried here, as libSystem does, unless the caller wants
 * to hear of them. */
#include <stddef.h>
#include <sys/mman.h>

#include <mach/mach.h>

#include "call.h"

/* Memory out of line comes as a number; room for it is mapped here and filled by the kernel. */
static void fetch_memory(mach_msg_header_t *message) {
  if ((message->msgh_bits & MACH_MSGH_BITS_COMPLEX) == 0)
    return;
  mach_msg_base_t *const base = (mach_msg_base_t *)message;
  unsigned char *next = (unsigned char *)(base + 1);
  for (mach_msg_size_t i = 0; i < base->body.msgh_descriptor_count; i++) {
    mach_msg_descriptor_t *const descriptor = (mach_msg_descriptor_t *)next;
    if (descriptor->type.type == MACH_MSG_PORT_DESCRIPTOR) {
      next += sizeof descriptor->port;
      continue;
    }
    next += sizeof descriptor->out_of_line;
    if (descriptor->type.type == MACH_MSG_GUARDED_PORT_DESCRIPTOR || descriptor->out_of_line.address == NULL)
      continue;
    const size_t unit = descriptor->type.type == MACH_MSG_OOL_PORTS_DESCRIPTOR ? sizeof(mach_port_t) : 1;
    const size_t size = descriptor->out_of_line.size * unit;
    void *const room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const uint64_t number = POINTER(descriptor->out_of_line.address);
    descriptor->out_of_line.address = room == MAP_FAILED ? NULL : room;
    if (room == MAP_FAILED || CALL(fetch_memory, number, POINTER(room)) != KERN_SUCCESS)
      descriptor->out_of_line.size = 0;
  }
}

mach_msg_return_t mach_msg_overwrite(mach_msg_header_t *message, mach_msg_option_t option, mach_msg_size_t send_size,
                                     mach_msg_size_t receive_limit, mach_port_name_t receive_name,
                                     mach_msg_timeout_t timeout, mach_port_name_t notify,
                                     mach_msg_header_t *receive_message, mach_msg_size_t receive_scatter_size) {
  (void)notify;
  (void)receive_scatter_size;
  mach_msg_option_t now = option & ~(MACH_SEND_INTERRUPT | MACH_RCV_INTERRUPT);
  for (;;) {
    const mach_msg_return_t result = CALL(mach_msg2_trap, POINTER(message), (uint64_t)(uint32_t)now, send_size,
                                          receive_limit, receive_name, timeout, POINTER(receive_message));
    if (result == MACH_SEND_INTERRUPTED && (option & MACH_SEND_INTERRUPT) == 0)
      continue;
    if (result == MACH_RCV_INTERRUPTED && (option & MACH_RCV_INTERRUPT) == 0) {
      /* What was to be sent has been sent. */
      now &= ~MACH_SEND_MSG;
      continue;
    }
    if (result == MACH_MSG_SUCCESS && (option & MACH_RCV_MSG) != 0)
      fetch_memory(receive_message != NULL ? receive_message : message);
    return result;
  }
}

mach_msg_return_t mach_msg(mach_msg_header_t *message, mach_msg_option_t option, mach_msg_size_t send_size,
                           mach_msg_size_t receive_limit, mach_port_name_t receive_name, mach_msg_timeout_t timeout,
                           mach_port_name_t notify) {
  return mach_msg_overwrite(message, option, send_size, receive_limit, receive_name, timeout, notify, NULL, 0);
}

/* The raw trap, which only translated programs may send with. It is retried by nobody. */
mach_msg_return_t mach_msg_overwrite_trap(mach_msg_header_t *message, mach_msg_option_t option,
                                          mach_msg_size_t send_size, mach_msg_size_t receive_limit,
                                          mach_port_name_t receive_name, mach_msg_timeout_t timeout,
                                          mach_port_name_t notify, mach_msg_header_t *receive_message,
                                          mach_msg_size_t receive_scatter_size) {
  (void)notify;
  (void)receive_scatter_size;
  const mach_msg_return_t result = CALL(mach_msg_trap, POINTER(message), (uint64_t)(uint32_t)option, send_size,
                                        receive_limit, receive_name, timeout, POINTER(receive_message));
  if (result == MACH_MSG_SUCCESS && (option & MACH_RCV_MSG) != 0)
    fetch_memory(receive_message != NULL ? receive_message : message);
  return result;
}

mach_msg_return_t mach_msg_trap(mach_msg_header_t *message, mach_msg_option_t option, mach_msg_size_t send_size,
                                mach_msg_size_t receive_limit, mach_port_name_t receive_name,
                                mach_msg_timeout_t timeout, mach_port_name_t notify) {
  return mach_msg_overwrite_trap(message, option, send_size, receive_limit, receive_name, timeout, notify, NULL, 0);
}

mach_msg_return_t mach_msg_send(mach_msg_header_t *message) {
  return mach_msg(message, MACH_SEND_MSG, message->msgh_size, 0, MACH_PORT_NULL, MACH_MSG_TIMEOUT_NONE,
                  MACH_PORT_NULL);
}

mach_msg_return_t mach_msg_receive(mach_msg_header_t *message) {
  return mach_msg(message, MACH_RCV_MSG, 0, message->msgh_size, message->msgh_local_port, MACH_MSG_TIMEOUT_NONE,
                  MACH_PORT_NULL);
}

static void destroy_right(mach_port_t name, mach_msg_type_name_t disposition) {
  if (!MACH_PORT_VALID(name))
    return;
  switch (disposition) {
  case MACH_MSG_TYPE_MOVE_SEND:
  case MACH_MSG_TYPE_MOVE_SEND_ONCE:
    (void)mach_port_deallocate(mach_task_self(), name);
    break;
  case MACH_MSG_TYPE_MOVE_RECEIVE:
    (void)mach_port_mod_refs(mach_task_self(), name, MACH_PORT_RIGHT_RECEIVE, -1);
    break;
  case MACH_MSG_TYPE_MAKE_SEND:
    (void)mach_port_insert_right(mach_task_self(), name, name, MACH_MSG_TYPE_MAKE_SEND);
    (void)mach_port_deallocate(mach_task_self(), name);
    break;
  case MACH_MSG_TYPE_MAKE_SEND_ONCE: {
    mach_port_t made = MACH_PORT_NULL;
    mach_msg_type_name_t received = 0;
    (void)mach_port_extract_right(mach_task_self(), name, MACH_MSG_TYPE_MAKE_SEND_ONCE, &made, &received);
    (void)mach_port_deallocate(mach_task_self(), made);
    break;
  }
  default:
    break;
  }
}

static void destroy_descriptor(const mach_msg_descriptor_t *descriptor) {
  switch (descriptor->type.type) {
  case MACH_MSG_PORT_DESCRIPTOR:
    destroy_right(descriptor->port.name, descriptor->port.disposition);
    break;
  case MACH_MSG_GUARDED_PORT_DESCRIPTOR:
    destroy_right(descriptor->guarded_port.name, descriptor->guarded_port.disposition);
    break;
  case MACH_MSG_OOL_PORTS_DESCRIPTOR: {
    const mach_msg_ool_ports_descriptor_t *const ports = &descriptor->ool_ports;
    const mach_port_t *const names = ports->address;
    for (mach_msg_size_t i = 0; i < ports->count; i++)
      destroy_right(names[i], ports->disposition);
    if (ports->deallocate != 0)
      (void)vm_deallocate(mach_task_self(), (vm_address_t)names, ports->count * sizeof *names);
    break;
  }
  default:
    if (descriptor->out_of_line.deallocate != 0)
      (void)vm_deallocate(mach_task_self(), (vm_address_t)descriptor->out_of_line.address,
                          descriptor->out_of_line.size);
    break;
  }
}

void mach_msg_destroy(mach_msg_header_t *message) {
  const mach_msg_bits_t bits = message->msgh_bits;
  destroy_right(message->msgh_remote_port, MACH_MSGH_BITS_REMOTE(bits));
  if ((bits & MACH_MSGH_BITS_COMPLEX) == 0)
    return;
  const mach_msg_base_t *const base = (const mach_msg_base_t *)message;
  const unsigned char *next = (const unsigned char *)(base + 1);
  for (mach_msg_size_t i = 0; i < base->body.msgh_descriptor_count; i++) {
    const mach_msg_descriptor_t *const descriptor = (const mach_msg_descriptor_t *)next;
    destroy_descriptor(descriptor);
    next += descriptor->type.type == MACH_MSG_PORT_DESCRIPTOR ? sizeof descriptor->port
                                                              : sizeof descriptor->out_of_line;
  }
}

const NDR_record_t NDR_record = {0, 0, 0, 0, 1, 0, 0, 0};
