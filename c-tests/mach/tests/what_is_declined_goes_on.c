/* An exception that the thread's server declines, answers wrongly or cannot answer any more goes to the task's server,
 * and then becomes the signal, with the thread's state as it was. */
#include <signal.h>
#include <string.h>

#include "exception_server.h"
#include "going_on.h"
#include "host_profile.h"

static fault_place_t place;
/* The reply, ready but for what is wrong with it. */
static kern_return_t raw(exception_server_t *server, exception_t *exception, mach_msg_size_t size, int id) {
  mach_msg_header_t header;
  memset(&server->raw, 0, sizeof server->raw);
  memset(&header, 0, sizeof header);
  header.msgh_bits = MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(exception->header.msgh_bits), 0);
  header.msgh_remote_port = exception->header.msgh_remote_port;
  header.msgh_id = id;
  server->raw.size = header.msgh_size = size;
  memcpy(server->raw.bytes, &header, sizeof header);
  return RAW_REPLY;
}

enum { FULL_REPLY = 24 + 8 + 4 + 8 + 4 * (int)STATE_WORDS };
/* Flavor and count of a reply, and its state. */
static void put_state(exception_server_t *server, int flavor, unsigned int count, const exception_t *exception,
                      size_t pc) {
  natural_t state[STATE_WORDS];
  memcpy(state, exception->state, sizeof state);
  set_state_pc(state, pc);
  memcpy(server->raw.bytes + 36, &flavor, sizeof flavor);
  memcpy(server->raw.bytes + 40, &count, sizeof count);
  memcpy(server->raw.bytes + 44, state, sizeof state);
}

static kern_return_t answer_not(exception_server_t *server, exception_t *exception) {
  (void)server;
  (void)exception;
  return MIG_NO_REPLY;
}
static kern_return_t answer_other_number(exception_server_t *server, exception_t *exception) {
  raw(server, exception, FULL_REPLY, exception->header.msgh_id + 101);
  put_state(server, STATE_FLAVOR, STATE_WORDS, exception, place.behind);
  return RAW_REPLY;
}
static kern_return_t answer_too_short(exception_server_t *server, exception_t *exception) {
  return raw(server, exception, 32, exception->header.msgh_id + 100);
}
static kern_return_t answer_without_state(exception_server_t *server, exception_t *exception) {
  return raw(server, exception, 36, exception->header.msgh_id + 100);
}
static kern_return_t answer_wrong_count(exception_server_t *server, exception_t *exception) {
  raw(server, exception, FULL_REPLY, exception->header.msgh_id + 100);
  put_state(server, STATE_FLAVOR, STATE_WORDS - 1, exception, place.behind);
  return RAW_REPLY;
}
static kern_return_t answer_wrong_flavor(exception_server_t *server, exception_t *exception) {
  raw(server, exception, FULL_REPLY, exception->header.msgh_id + 100);
  put_state(server, 99, STATE_WORDS, exception, place.behind);
  return RAW_REPLY;
}
#if defined(__x86_64__)
static kern_return_t answer_non_canonical(exception_server_t *server, exception_t *exception) {
  raw(server, exception, FULL_REPLY, exception->header.msgh_id + 100);
  put_state(server, STATE_FLAVOR, STATE_WORDS, exception, (size_t)0x8000000000000000u);
  return RAW_REPLY;
}
#endif
/* A failure, beside a state that must not count. */
static kern_return_t answer_failure_with_state(exception_server_t *server, exception_t *exception) {
  const kern_return_t failure = KERN_FAILURE;
  raw(server, exception, FULL_REPLY, exception->header.msgh_id + 100);
  put_state(server, STATE_FLAVOR, STATE_WORDS, exception, place.behind);
  memcpy(server->raw.bytes + 32, &failure, sizeof failure);
  return RAW_REPLY;
}

typedef struct wrong {
  const char *name;
  exception_answer_t answer;
} wrong_t;

static const wrong_t wrong_answers[] = {
    {"KERN_FAILURE", answer_decline},
    {"no reply, its right dropped", answer_not},
    {"a reply of another number", answer_other_number},
    {"a reply that is too short", answer_too_short},
    {"success without a state", answer_without_state},
    {"a count that the size belies", answer_wrong_count},
    {"a flavor that is none", answer_wrong_flavor},
#if defined(__x86_64__)
    {"a program counter that no program can have", answer_non_canonical},
#endif
    {"a failure with a state", answer_failure_with_state},
};

int main(void) {
  host_must_have(NEEDS_DELIVERY | NEEDS_FREE_TASK_LEVEL);
  go_on_behind(SIGILL, &place);

  exception_server_t at_thread, at_task;
  server_start(&at_thread, answer_decline, &place);
  must(take_exceptions(at_thread.receive_from, WITH_CODES(EXCEPTION_STATE)) == KERN_SUCCESS);
  const simulated_rights_t before = rights_now();
  for (size_t i = 0; i < sizeof wrong_answers / sizeof wrong_answers[0]; i++) {
    at_thread.answer = wrong_answers[i].answer;
    at_thread.count = signals = 0;
    fault_illegal(&place);
    same(signals, 1, "%s: becomes the signal", wrong_answers[i].name);
    same(signal_pc, place.at, "%s: at the instruction", wrong_answers[i].name);
  }
  same_rights(&before, "no right is left over from any of them");

  server_start_on(&at_task, new_port(), answer_go_on, &place);
  must(task_set_exception_ports(mach_task_self(), EXC_MASK_BAD_INSTRUCTION, at_task.receive_from,
                                WITH_CODES(EXCEPTION_STATE), STATE_FLAVOR) == KERN_SUCCESS);
  for (size_t i = 0; i < sizeof wrong_answers / sizeof wrong_answers[0]; i++) {
    at_thread.answer = wrong_answers[i].answer;
    at_thread.count = at_task.count = signals = 0;
    fault_illegal(&place);
    same(at_task.count, 1, "%s: goes to the task's server", wrong_answers[i].name);
    same(signals, 0, "%s: which takes it", wrong_answers[i].name);
  }
  at_thread.answer = answer_go_on;
  at_thread.count = at_task.count = 0;
  fault_illegal(&place);
  same(at_thread.count, 1, "what the thread's server takes");
  same(at_task.count, 0, "never reaches the task's");

  server_stop(&at_thread);
  at_task.count = 0;
  fault_illegal(&place);
  same(at_task.count, 1, "a thread port that has died is passed over");
  server_stop(&at_task);
  signals = 0;
  fault_illegal(&place);
  same(signals, 1, "and so is the task's: the signal remains");
  simulated_exceptions_t counts;
  must(simulated_exceptions(&counts) == KERN_SUCCESS);
  same(counts.became_signals, sizeof wrong_answers / sizeof wrong_answers[0] + 1, "the simulator has counted as much");
  return tap_done();
}
