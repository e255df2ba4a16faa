/* The server's control port is for stopping it. Anything else that comes there is dropped, with what it carries. */
#include <string.h>

#include "backend.h"
#include "cases.h"
#include "stray_messages.h"
#include "thread_ports.h"

static void anything_else(void) {
  const library_ports_t library = init_and_find_library_ports();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  const task_rights_t before = task_rights_now();
  static const int ids[] = {0, 72, 2405, 2406, 2407, 2506};
  unsigned long sent = 0;
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
    send_empty(ids[i], library.control);
    wait_until_dropped(++sent);
    same(dropped_messages(), sent, "an empty message is dropped");
    traps_by_ports("and a trap is a trap");
  }
  exception_request_t request = forged_exception();
  send_stray(&request.header, exception_request_size(&request), library.control, MACH_PORT_NULL);
  wait_until_dropped(++sent);
  traps_by_ports("a trap after a forged exception");
  same_task_rights(&before, "nothing is left of them");
}

/* The id of the order itself, with a right or a reply port: no message of the library's. */
static void an_order_with_rights(void) {
  const library_ports_t library = init_and_find_library_ports();
  enum { STOP_ID = 0x57545350 };
  mach_port_t reply = MACH_PORT_NULL;
  must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &reply) == KERN_SUCCESS);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  const task_rights_t before = task_rights_now();
  struct {
    mach_msg_header_t header;
    mach_msg_body_t body;
    mach_msg_port_descriptor_t port;
  } message;
  memset(&message, 0, sizeof message);
  message.header.msgh_id = STOP_ID;
  message.header.msgh_bits = MACH_MSGH_BITS_COMPLEX;
  message.body.msgh_descriptor_count = 1;
  message.port.name = reply;
  message.port.disposition = MACH_MSG_TYPE_MAKE_SEND;
  message.port.type = MACH_MSG_PORT_DESCRIPTOR;
  send_stray(&message.header, sizeof message, library.control, MACH_PORT_NULL);
  wait_until_dropped(1);
  traps_by_ports("a trap after an order with a right inside");
  mach_msg_header_t empty;
  memset(&empty, 0, sizeof empty);
  empty.msgh_id = STOP_ID;
  send_stray(&empty, sizeof empty, library.control, reply);
  wait_until_dropped(2);
  traps_by_ports("a trap after one with a reply port");
  same_task_rights(&before, "nothing is left of them");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "the library's own order is still taken");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"anything but the order", anything_else, 0},
      {"the order with rights", an_order_with_rights, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
