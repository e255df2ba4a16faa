/*
 * The control: an engine in the manner of those that the kernel kills. Its thread's exceptions come with the behavior
 * EXCEPTION_DEFAULT | MACH_EXCEPTION_CODES; its server reads and writes the thread's state through the port in the
 * message, and answers. Where that behavior is forbidden, the first call that asks for it is the last.
 */
#include "engine.h"

const unsigned int engine_behavior = EXCEPTION_DEFAULT | MACH_EXCEPTION_CODES;
const mach_msg_id_t engine_request_id = 2405;
const unsigned int engine_port_flags = 0;

#pragma pack(push, 4)
typedef struct request {
  mach_msg_header_t header;
  mach_msg_body_t body;
  mach_msg_port_descriptor_t thread;
  mach_msg_port_descriptor_t task;
  NDR_record_t ndr;
} request_t;
#pragma pack(pop)

static kern_return_t move_to_landing(mach_port_t thread) {
  engine_state_t state;
  mach_msg_type_number_t count = ENGINE_STATE_COUNT;
  uint64_t landing = 0;
  engine_check("thread_get_state", thread_get_state(thread, ENGINE_FLAVOR, (thread_state_t)&state, &count));
  if (!engine_landing_of(ENGINE_PC(&state), &landing)) return KERN_FAILURE;
  ENGINE_PC(&state) = landing;
  engine_check("thread_set_state", thread_set_state(thread, ENGINE_FLAVOR, (thread_state_t)&state, count));
  return KERN_SUCCESS;
}

mach_msg_size_t engine_handle(engine_message_t *request, engine_message_t *reply) {
  const request_t *const message = (request_t *)request;
  mig_reply_error_t *const answer = (mig_reply_error_t *)reply;
  answer->NDR = message->ndr;
  answer->RetCode = move_to_landing(message->thread.name);
  engine_check("the thread's port", mach_port_deallocate(mach_task_self(), message->thread.name));
  engine_check("the task's port", mach_port_deallocate(mach_task_self(), message->task.name));
  return sizeof *answer;
}
