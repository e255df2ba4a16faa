/* A trailer has as much as was asked for: number in sequence, sender, audit token with the process, context of the
 * port. */
#include <string.h>
#include <unistd.h>

#include "host_profile.h"

typedef struct message {
  mach_msg_header_t header;
  mach_msg_mac_trailer_t trailer;
} message_t;

int main(void) {
  static const struct {
    int elements;
    unsigned int size;
  } kinds[] = {{MACH_RCV_TRAILER_NULL, 8},   {MACH_RCV_TRAILER_SEQNO, 12}, {MACH_RCV_TRAILER_SENDER, 20},
               {MACH_RCV_TRAILER_AUDIT, 52}, {MACH_RCV_TRAILER_CTX, 60},   {MACH_RCV_TRAILER_AV, 68}};
  const mach_port_t port = new_port();
  must(mach_port_set_context(mach_task_self(), port, 0x123456789a) == KERN_SUCCESS);
  for (unsigned int i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    message_t message;
    memset(&message, 0xee, sizeof message);
    message.header.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
    message.header.msgh_remote_port = port;
    message.header.msgh_local_port = MACH_PORT_NULL;
    message.header.msgh_voucher_port = MACH_PORT_NULL;
    must(mach_msg(&message.header, MACH_SEND_MSG, sizeof message.header, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
    memset(&message, 0xee, sizeof message);
    must(mach_msg(&message.header, MACH_RCV_MSG | MACH_RCV_TRAILER_ELEMENTS(kinds[i].elements), 0, sizeof message, port,
                  0, 0) == MACH_MSG_SUCCESS);
    same(message.header.msgh_size, sizeof message.header, "the message itself is as large as it was");
    same(message.trailer.msgh_trailer_size, kinds[i].size, "a trailer of the size that was asked for");
    same(message.trailer.msgh_trailer_type, MACH_MSG_TRAILER_FORMAT_0, "of format 0");
    if (kinds[i].size >= 12) same(message.trailer.msgh_seqno, i, "the messages before it");
    if (kinds[i].size >= 20) same(message.trailer.msgh_sender.val[0], geteuid(), "the sender's user");
    if (kinds[i].size >= 52) same(message.trailer.msgh_audit.val[5], getpid(), "the sender's process");
    if (kinds[i].size >= 60) same(message.trailer.msgh_context, 0x123456789a, "the port's context");
    const unsigned char *const behind = (unsigned char *)&message.trailer + kinds[i].size;
    ok(behind == (unsigned char *)(&message + 1) || *behind == 0xee, "and nothing behind it");
  }
  return tap_done();
}
