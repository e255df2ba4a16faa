/*
 * The counter-control: the same engine with the behavior EXCEPTION_STATE | MACH_EXCEPTION_CODES. The state comes in the
 * message and goes back in the answer; no port comes along. Apple's own programs live with it, but for those of 14.4 to
 * 14.7.
 */
#include "engine.h"

const unsigned int engine_behavior = EXCEPTION_STATE | MACH_EXCEPTION_CODES;
const mach_msg_id_t engine_request_id = 2406;
#if !defined(ENGINE_PORT_FLAGS)
#define ENGINE_PORT_FLAGS 0
#endif
const unsigned int engine_port_flags = ENGINE_PORT_FLAGS;

#pragma pack(push, 4)
typedef struct request {
  mach_msg_header_t header;
  NDR_record_t ndr;
  exception_type_t exception;
  mach_msg_type_number_t code_count;
  int64_t code[2];
  int flavor;
  mach_msg_type_number_t state_count;
  engine_state_t state;
} request_t;
typedef struct reply {
  mach_msg_header_t header;
  NDR_record_t ndr;
  kern_return_t result;
  int flavor;
  mach_msg_type_number_t state_count;
  engine_state_t state;
} reply_t;
#pragma pack(pop)

mach_msg_size_t engine_handle(engine_message_t *request, engine_message_t *reply) {
  const request_t *const message = (request_t *)request;
  reply_t *const answer = (reply_t *)reply;
  uint64_t landing = 0;
  answer->ndr = message->ndr;
  answer->flavor = message->flavor;
  answer->state_count = message->state_count;
  answer->state = message->state;
  answer->result = engine_landing_of(ENGINE_PC(&answer->state), &landing) ? KERN_SUCCESS : KERN_FAILURE;
  if (answer->result == KERN_SUCCESS) ENGINE_PC(&answer->state) = landing;
  return sizeof *answer;
}
