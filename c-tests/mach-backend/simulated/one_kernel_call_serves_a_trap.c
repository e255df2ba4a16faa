/* The server thread enters the kernel once for each trap: the call that sends the answer waits for the next exception.
 * Two messages are copied, with the registers in each and nothing else that the trap does not need. */
#include <pthread.h>

#include <simulated_mach.h>

#include "backend.h"
#include "cases.h"
#include "server_thread.h"

enum { TRAPS = 10000 };

static uint64_t calls_of(mach_port_t thread) {
  uint64_t calls = 0;
  must(simulated_thread_calls(thread, &calls) == KERN_SUCCESS);
  return calls;
}

static void counts(const char *what, void (*once)(void)) {
  const mach_port_t server = init_and_find_server();
  const mach_port_t this_thread = pthread_mach_thread_np(pthread_self());
  once();
  const uint64_t served = calls_of(server), own = calls_of(this_thread);
  for (int i = 0; i < TRAPS; i++) once();
  const uint64_t per_server = calls_of(server) - served, per_thread = calls_of(this_thread) - own;
  same(per_server, TRAPS, "the server made one call for each");
  same(per_thread, 0, "the thread none");
  tap_note("measured: kernel calls of the server for %d %s: %llu", TRAPS, what, (unsigned long long)per_server);
}

/* mach_exception_raise_state and its reply: header, NDR record, then exception, count and two codes, flavor, count and
 * state; or the return code, flavor, count and state. */
#if defined(__x86_64__)
enum { STATE_SIZE = x86_THREAD_STATE64_COUNT * 4 };
#else
enum { STATE_SIZE = ARM_THREAD_STATE64_COUNT * 4 };
#endif
enum { REQUEST_SIZE = 24 + 8 + 4 + 4 + 2 * 8 + 4 + 4 + STATE_SIZE, REPLY_SIZE = 24 + 8 + 4 + 4 + 4 + STATE_SIZE };

static void trap_once(void) {
  wasmtrap_trap_t trap;
  must(load_what_must_not_be_touched(&trap) == WASMTRAP_TRAPPED && trap.exception == EXC_BAD_ACCESS);
}

static void traps(void) { counts("traps", trap_once); }

static void messages_of_traps(void) {
  const mach_port_t server = init_and_find_server();
  trap_once();
  simulated_messages_t before, after;
  must(simulated_thread_messages(server, &before) == KERN_SUCCESS);
  for (int i = 0; i < TRAPS; i++) trap_once();
  must(simulated_thread_messages(server, &after) == KERN_SUCCESS);
  same(after.received - before.received, TRAPS, "the server received one message for each");
  same(after.sent - before.sent, TRAPS, "and sent one");
  same(after.received_bytes - before.received_bytes, (uint64_t)TRAPS * REQUEST_SIZE, "of a request's size");
  same(after.sent_bytes - before.sent_bytes, (uint64_t)TRAPS * REPLY_SIZE, "and of a reply's");
}

/* Two exceptions: the fault, and the end of the asking. */
static wasmtrap_verdict_t resumes(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  fault->registers->pc += WASM_UNREACHABLE_SIZE;
  return WASMTRAP_VERDICT_RESUME;
}

static void fault_once(void) { wasm_unreachable.function(NULL); }

static void faults_of_the_fault_handler(void) {
  const mach_port_t server = init_and_find_server();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(resumes, NULL) == WASMTRAP_OK);
  fault_once();
  const uint64_t served = calls_of(server);
  for (int i = 0; i < TRAPS; i++) fault_once();
  const uint64_t calls = calls_of(server) - served;
  same(calls, 2 * TRAPS, "the server made two calls for each: one to ask, one to go on");
  tap_note("measured: kernel calls of the server for %d faults that the fault handler mends: %llu", TRAPS,
           (unsigned long long)calls);
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"traps", traps, 0},
      {"messages of traps", messages_of_traps, 0},
      {"faults that the fault handler mends", faults_of_the_fault_handler, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
