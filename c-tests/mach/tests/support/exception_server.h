/* A thread that receives exceptions from a port or a port set and answers them as the test says. */
#ifndef EXCEPTION_SERVER_H
#define EXCEPTION_SERVER_H

#include <pthread.h>

#include "faults.h"
#include "ports.h"

/* A request of any behavior and code size, taken apart. */
typedef struct exception {
  mach_msg_header_t header;
  mach_msg_audit_trailer_t trailer;
  /* MACH_PORT_NULL where the behavior does not name them; the task's place has the identity token's. */
  mach_port_t thread;
  mach_port_t task;
  uint64_t thread_number;
  NDR_record_t ndr;
  int exception;
  unsigned int code_count;
  int64_t codes[2];
  int flavor;
  unsigned int state_count;
  natural_t state[THREAD_STATE_MAX];
  /* All of it, as it came. */
  unsigned char bytes[8192];
} exception_t;

/* A whole reply, where an answer is to be something else than the ordinary one. */
typedef struct raw_reply {
  mach_msg_size_t size;
  unsigned char bytes[8192];
} raw_reply_t;

struct exception_server;
/* The return code of the reply. The state in `exception` is the new one. Rights in the message are dropped by the
 * server afterwards. MIG_NO_REPLY drops the reply right; RAW_REPLY sends `raw`, whose header is filled in but for the
 * rest. */
typedef kern_return_t (*exception_answer_t)(struct exception_server *server, exception_t *exception);
#define RAW_REPLY 12345

typedef struct exception_server {
  mach_port_t receive_from;
  exception_answer_t answer;
  void *argument;
  /* The faults of a thread that is to go on behind them. */
  fault_place_t *place;
  volatile int count;
  exception_t last;
  raw_reply_t raw;
  /* What ended the server. */
  mach_msg_return_t end;
  volatile int stopping;
  pthread_t thread;
} exception_server_t;

/* Goes on behind the instruction. */
kern_return_t answer_go_on(exception_server_t *server, exception_t *exception);
kern_return_t answer_decline(exception_server_t *server, exception_t *exception);

/* A server on a new port. */
void server_start(exception_server_t *server, exception_answer_t answer, fault_place_t *place);
/* A server on a port, or set, that is there. */
void server_start_on(exception_server_t *server, mach_port_t receive_from, exception_answer_t answer,
                     fault_place_t *place);
/* Tells a server on a port, or on the set of `member`, to end, and waits for that. What it receives from stays. */
void server_end(exception_server_t *server, mach_port_t member);
/* Ends a server on a port of its own, and destroys the port. */
void server_stop(exception_server_t *server);
/* The calling thread's exceptions, those that tests make, go to the port. */
kern_return_t take_exceptions(mach_port_t port, int behavior);
void take_no_exceptions(void);
#define TEST_MASK (EXC_MASK_BAD_ACCESS | EXC_MASK_BAD_INSTRUCTION | EXC_MASK_ARITHMETIC | EXC_MASK_BREAKPOINT)
/* Behavior, with codes of 64 bits. */
#define WITH_CODES(behavior) ((int)((behavior) | MACH_EXCEPTION_CODES))

#endif
