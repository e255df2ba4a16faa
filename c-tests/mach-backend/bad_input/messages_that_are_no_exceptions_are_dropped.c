/* Whoever gets a send right to a thread's exception port can send it anything. The server drops what is no exception of
 * the kernel's, releases all that came with it, and goes on. */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "backend.h"
#include "cases.h"
#include "stray_messages.h"
#include "thread_ports.h"

static mach_port_t victim;
static unsigned long sent;

static void init(void) {
  init_mach_ports(HOST_ALL_KINDS);
  victim = library_port_of_this_thread();
}

/* What was sent is dropped, and the server is as it was. */
static void is_dropped(const task_rights_t *before, const char *name) {
  sent++;
  wait_until_dropped(sent);
  same(dropped_messages(), sent, "%s: dropped", name);
  /* Once this is answered, the server has done all that it does about the message. */
  traps_by_ports("a trap is a trap");
  same_task_rights(before, "all that it brought is released");
}

static void unknown_ids(void) {
  init();
  const task_rights_t before = task_rights_now();
  static const int ids[] = {0, -1, 71, 72, 2400, 2401, 2405, 2407, 2408, 2506, 0x7fffffff, 0x57545350};
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
    send_empty(ids[i], victim);
    is_dropped(&before, "an empty message");
  }
}

static void wrong_sizes(void) {
  init();
  const task_rights_t before = task_rights_now();
  exception_request_t request = forged_exception();
  const mach_msg_size_t whole = exception_request_size(&request);
  const mach_msg_size_t sizes[] = {24, 28, 32, 36, 40, 60, 64, whole - 4, whole + 4, whole + 8, 900};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    request = forged_exception();
    send_stray(&request.header, sizes[i], victim, MACH_PORT_NULL);
    is_dropped(&before, "an exception of a wrong size");
  }
}

static void wrong_contents(void) {
  init();
  const task_rights_t before = task_rights_now();
  for (int what = 0; what < 8; what++) {
    exception_request_t request = forged_exception();
    const mach_msg_size_t whole = exception_request_size(&request);
    switch (what) {
      case 0: request.code_count = 0; break;
      case 1: request.code_count = 1; break;
      case 2: request.code_count = 3; break;
      case 3: request.code_count = 0xffffffff; break;
      case 4: request.flavor = 0; break;
      case 5: request.flavor = 7; break;
      case 6: request.state_count = 0; break;
      default: request.state_count = 0xffffffff; break;
    }
    send_stray(&request.header, whole, victim, MACH_PORT_NULL);
    is_dropped(&before, "an exception with wrong contents");
  }
}

/* Too large for the server's buffer: the kernel destroys it, so that it is not counted. */
static void too_large(void) {
  init();
  const task_rights_t before = task_rights_now();
  static struct {
    mach_msg_header_t header;
    unsigned char rest[8192];
  } large;
  for (int i = 0; i < 20; i++) {
    large.header.msgh_id = 2406;
    send_stray(&large.header, sizeof large, victim, MACH_PORT_NULL);
    traps_by_ports("a trap behind a message that is too large");
  }
  same_task_rights(&before, "nothing is left of them");
}

typedef struct port_message_t {
  mach_msg_header_t header;
  mach_msg_body_t body;
  mach_msg_port_descriptor_t ports[3];
} port_message_t;

static void put_port(mach_msg_port_descriptor_t *descriptor, mach_port_t port, unsigned int disposition) {
  descriptor->name = port;
  descriptor->disposition = (unsigned char)disposition;
  descriptor->type = MACH_MSG_PORT_DESCRIPTOR;
}

static mach_port_t new_receive_right(void) {
  mach_port_t port = MACH_PORT_NULL;
  must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port) == KERN_SUCCESS);
  return port;
}

static void rights_inside(void) {
  init();
  const task_rights_t before = task_rights_now();
  static const int ids[] = {2405, 2406, 2407, 1234};
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
    port_message_t message;
    memset(&message, 0, sizeof message);
    message.header.msgh_id = ids[i];
    message.header.msgh_bits = MACH_MSGH_BITS_COMPLEX;
    message.body.msgh_descriptor_count = 3;
    const mach_port_t port = new_receive_right(), other = new_receive_right();
    put_port(&message.ports[0], port, MACH_MSG_TYPE_MAKE_SEND);
    put_port(&message.ports[1], port, MACH_MSG_TYPE_MAKE_SEND_ONCE);
    put_port(&message.ports[2], other, MACH_MSG_TYPE_MOVE_RECEIVE);
    send_stray(&message.header, sizeof message, victim, MACH_PORT_NULL);
    sent++;
    wait_until_dropped(sent);
    traps_by_ports("a trap is a trap");
    mach_port_type_t type = 0;
    same(mach_port_type(mach_task_self(), port, &type), KERN_SUCCESS, "the sender's own right");
    same(type, MACH_PORT_TYPE_RECEIVE, "is all that is left of it");
    must(mach_port_mod_refs(mach_task_self(), port, MACH_PORT_RIGHT_RECEIVE, -1) == KERN_SUCCESS);
    same_task_rights(&before, "with three rights inside: all are released");
  }
}

typedef struct memory_message_t {
  mach_msg_header_t header;
  mach_msg_body_t body;
  mach_msg_ool_descriptor_t memory;
  mach_msg_ool_ports_descriptor_t ports;
} memory_message_t;

static void memory_inside(void) {
  init();
  enum { LENGTH = 1 << 20, TIMES = 50 };
  void *const memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(memory != MAP_FAILED);
  const mach_port_t port = new_receive_right();
  mach_port_t names[4] = {port, port, port, port};
  const task_rights_t before = task_rights_now();
  size_t mappings = 0;
  for (int i = 0; i < TIMES; i++) {
    memory_message_t message;
    memset(&message, 0, sizeof message);
    message.header.msgh_id = 2407;
    message.header.msgh_bits = MACH_MSGH_BITS_COMPLEX;
    message.body.msgh_descriptor_count = 2;
    message.memory.address = memory;
    message.memory.size = LENGTH;
    message.memory.copy = MACH_MSG_VIRTUAL_COPY;
    message.memory.type = MACH_MSG_OOL_DESCRIPTOR;
    message.ports.address = names;
    message.ports.count = 4;
    message.ports.copy = MACH_MSG_PHYSICAL_COPY;
    message.ports.disposition = MACH_MSG_TYPE_MAKE_SEND;
    message.ports.type = MACH_MSG_OOL_PORTS_DESCRIPTOR;
    send_stray(&message.header, sizeof message, victim, MACH_PORT_NULL);
    is_dropped(&before, "with memory and an array of rights");
    if (i == 0) mappings = count_mappings();
  }
  ok(count_mappings() <= mappings + 2, "the memory is given back each time");
}

/* A reply port: the sender hears that nobody answers, and no more. */
static void reply_ports(void) {
  init();
  const mach_port_t reply = new_receive_right();
  const task_rights_t before = task_rights_now();
  for (int i = 0; i < 20; i++) {
    exception_request_t request = forged_exception();
    send_stray(&request.header, exception_request_size(&request), victim, reply);
    is_dropped(&before, "a forged exception with a reply port");
    struct {
      mach_msg_header_t header;
      unsigned char rest[1024];
    } answer;
    must(mach_msg(&answer.header, MACH_RCV_MSG, 0, sizeof answer, reply, 0, MACH_PORT_NULL) == MACH_MSG_SUCCESS);
    same(answer.header.msgh_id, MACH_NOTIFY_SEND_ONCE, "its right to a reply was dropped");
  }
}

static volatile int over;

static void *send_without_end(void *unused) {
  (void)unused;
  while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
    exception_request_t request = forged_exception();
    send_stray(&request.header, exception_request_size(&request), victim, MACH_PORT_NULL);
  }
  return NULL;
}

static void a_storm(void) {
  enum { TRAPS = 500 };
  init();
  pthread_t senders[2];
  for (int i = 0; i < 2; i++) must(pthread_create(&senders[i], NULL, send_without_end, NULL) == 0);
  int trapped = 0;
  for (int i = 0; i < TRAPS; i++) {
    wasmtrap_trap_t trap;
    trapped += load_what_must_not_be_touched(&trap) == WASMTRAP_TRAPPED && trap.exception == EXC_BAD_ACCESS;
  }
  __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < 2; i++) must(pthread_join(senders[i], NULL) == 0);
  same(trapped, TRAPS, "each trap is one among the messages");
  ok(dropped_messages() > 0, "messages came and were dropped");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"unknown ids", unknown_ids, 0},
      {"wrong sizes", wrong_sizes, 0},
      {"wrong contents", wrong_contents, 0},
      {"messages larger than any exception", too_large, 0},
      {"rights inside", rights_inside, 0},
      {"memory and arrays of rights inside", memory_inside, 0},
      {"reply ports", reply_ports, 0},
      {"a storm of them while a thread traps", a_storm, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
