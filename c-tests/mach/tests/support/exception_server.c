#include "exception_server.h"
#if defined(__APPLE__)
/* A program of one's own is never hardened there as Apple's are: any port will do. */
#define new_exception_port new_port
#else
#endif

#include <string.h>

static unsigned char *take(unsigned char *from, void *to, size_t size) {
  memcpy(to, from, size);
  return from + size;
}

static int has_state(int id) { return id == 2402 || id == 2403 || id == 2406 || id == 2407 || id == 2410; }
static int is_protected(int id) { return id == 2408 || id == 2410; }
static int has_long_codes(int id) { return id >= 2405; }

static void parse(exception_t *exception) {
  unsigned char *next = take(exception->bytes, &exception->header, sizeof exception->header);
  const int id = exception->header.msgh_id;
  exception->thread = exception->task = MACH_PORT_NULL;
  if ((exception->header.msgh_bits & MACH_MSGH_BITS_COMPLEX) != 0) {
    mach_msg_body_t body;
    mach_msg_port_descriptor_t descriptors[2];
    next = take(next, &body, sizeof body);
    must(body.msgh_descriptor_count == (is_protected(id) ? 1 : 2));
    next = take(next, descriptors, body.msgh_descriptor_count * sizeof descriptors[0]);
    exception->task = descriptors[body.msgh_descriptor_count - 1].name;
    if (!is_protected(id)) exception->thread = descriptors[0].name;
  }
  next = take(next, &exception->ndr, sizeof exception->ndr);
  if (is_protected(id)) next = take(next, &exception->thread_number, sizeof exception->thread_number);
  next = take(next, &exception->exception, sizeof exception->exception);
  next = take(next, &exception->code_count, sizeof exception->code_count);
  for (unsigned int i = 0; i < exception->code_count && i < 2; i++) {
    int small = 0;
    if (has_long_codes(id)) {
      next = take(next, &exception->codes[i], sizeof exception->codes[i]);
    } else {
      next = take(next, &small, sizeof small);
      exception->codes[i] = small;
    }
  }
  exception->state_count = 0;
  if (has_state(id)) {
    next = take(next, &exception->flavor, sizeof exception->flavor);
    next = take(next, &exception->state_count, sizeof exception->state_count);
    must(exception->state_count <= THREAD_STATE_MAX);
    next = take(next, exception->state, exception->state_count * sizeof exception->state[0]);
  }
  memcpy(&exception->trailer, exception->bytes + exception->header.msgh_size, sizeof exception->trailer);
}

/* The reply as MIG makes it: with the new state where the behavior has one. */
static mach_msg_size_t make_reply(unsigned char *bytes, const exception_t *exception, kern_return_t result) {
  mach_msg_header_t header;
  memset(&header, 0, sizeof header);
  header.msgh_bits = MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(exception->header.msgh_bits), 0);
  header.msgh_remote_port = exception->header.msgh_remote_port;
  header.msgh_id = exception->header.msgh_id + 100;
  unsigned char *next = bytes + sizeof header;
  memcpy(next, &exception->ndr, sizeof exception->ndr);
  next += sizeof exception->ndr;
  memcpy(next, &result, sizeof result);
  next += sizeof result;
  if (has_state(exception->header.msgh_id) && result == KERN_SUCCESS) {
    memcpy(next, &exception->flavor, sizeof exception->flavor);
    next += sizeof exception->flavor;
    memcpy(next, &exception->state_count, sizeof exception->state_count);
    next += sizeof exception->state_count;
    memcpy(next, exception->state, exception->state_count * sizeof exception->state[0]);
    next += exception->state_count * sizeof exception->state[0];
  }
  header.msgh_size = (mach_msg_size_t)(next - bytes);
  memcpy(bytes, &header, sizeof header);
  return header.msgh_size;
}

static void drop_identity(const exception_t *exception) {
  if (exception->thread != MACH_PORT_NULL) must(mach_port_deallocate(mach_task_self(), exception->thread) == 0);
  if (exception->task != MACH_PORT_NULL) must(mach_port_deallocate(mach_task_self(), exception->task) == 0);
}

static void *serve(void *argument) {
  exception_server_t *const server = argument;
  const mach_msg_option_t receive = MACH_RCV_MSG | MACH_RCV_TRAILER_ELEMENTS(MACH_RCV_TRAILER_AUDIT);
  exception_t *const exception = &server->last;
  for (;;) {
    mach_msg_header_t *const message = (mach_msg_header_t *)(void *)exception->bytes;
    server->end = mach_msg(message, receive, 0, sizeof exception->bytes, server->receive_from, 0, MACH_PORT_NULL);
    if (server->end != MACH_MSG_SUCCESS) return NULL;
    if (message->msgh_id < 2401 || message->msgh_id > 2410) {
      mach_msg_destroy(message);
      if (server->stopping) return NULL;
      continue;
    }
    parse(exception);
    const kern_return_t result = server->answer(server, exception);
    drop_identity(exception);
    server->count++;
    if (result == MIG_NO_REPLY) {
      must(mach_port_deallocate(mach_task_self(), exception->header.msgh_remote_port) == KERN_SUCCESS);
      continue;
    }
    unsigned char ordinary[8192];
    unsigned char *const reply = result == RAW_REPLY ? server->raw.bytes : ordinary;
    const mach_msg_size_t size = result == RAW_REPLY ? server->raw.size : make_reply(reply, exception, result);
    mach_msg_header_t *const header = (mach_msg_header_t *)(void *)reply;
    const mach_msg_return_t sent = mach_msg(header, MACH_SEND_MSG, size, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL);
    must(sent == MACH_MSG_SUCCESS || sent == MACH_SEND_INVALID_DEST);
    /* The thread does not wait for it any more. */
    if (sent == MACH_SEND_INVALID_DEST) mach_msg_destroy(header);
  }
}

kern_return_t answer_go_on(exception_server_t *server, exception_t *exception) {
  must(exception->state_count == STATE_WORDS);
  set_state_pc(exception->state, server->place->behind);
  return KERN_SUCCESS;
}

kern_return_t answer_decline(exception_server_t *server, exception_t *exception) {
  (void)server;
  (void)exception;
  return KERN_FAILURE;
}

void server_start_on(exception_server_t *server, mach_port_t receive_from, exception_answer_t answer,
                     fault_place_t *place) {
  memset(server, 0, sizeof *server);
  server->receive_from = receive_from;
  server->answer = answer;
  server->place = place;
  must(pthread_create(&server->thread, NULL, serve, server) == 0);
}

void server_start(exception_server_t *server, exception_answer_t answer, fault_place_t *place) {
  server_start_on(server, new_exception_port(), answer, place);
}

/* A plain message wakes it. To destroy the port instead would race with its next receiving. */
void server_end(exception_server_t *server, mach_port_t member) {
  mach_msg_header_t message;
  memset(&message, 0, sizeof message);
  message.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
  message.msgh_remote_port = member;
  server->stopping = 1;
  must(mach_msg(&message, MACH_SEND_MSG, sizeof message, 0, MACH_PORT_NULL, 0, MACH_PORT_NULL) == MACH_MSG_SUCCESS);
  must(pthread_join(server->thread, NULL) == 0);
}

void server_stop(exception_server_t *server) {
  server_end(server, server->receive_from);
  free_port(server->receive_from);
}

kern_return_t take_exceptions(mach_port_t port, int behavior) {
  return thread_set_exception_ports(this_thread(), TEST_MASK, port, behavior, STATE_FLAVOR);
}

void take_no_exceptions(void) {
  must(thread_set_exception_ports(this_thread(), TEST_MASK, MACH_PORT_NULL, EXCEPTION_DEFAULT, 0) == KERN_SUCCESS);
}
