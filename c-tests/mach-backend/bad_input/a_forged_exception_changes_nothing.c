/* An exception message that somebody other than the kernel has sent is nobody's exception, however well it is made: the
 * thread that it is about goes on undisturbed, whatever it does meanwhile. */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "backend.h"
#include "cases.h"
#include "faults.h"
#include "stray_messages.h"
#include "thread_ports.h"

/* Sends it with a reply port, as the kernel does, so that nothing but its sender tells it from a true one. One check:
 * its right to an answer is dropped. */
static void forge(exception_request_t *request, mach_port_t port) {
  mach_port_t reply = MACH_PORT_NULL;
  must(mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &reply) == KERN_SUCCESS);
  send_stray(&request->header, exception_request_size(request), port, reply);
  struct {
    mach_msg_header_t header;
    unsigned char rest[2048];
  } answer;
  must(mach_msg(&answer.header, MACH_RCV_MSG, 0, sizeof answer, reply, 0, MACH_PORT_NULL) == MACH_MSG_SUCCESS);
  same(answer.header.msgh_id, MACH_NOTIFY_SEND_ONCE, "nobody answers what was forged");
  must(mach_port_mod_refs(mach_task_self(), reply, MACH_PORT_RIGHT_RECEIVE, -1) == KERN_SUCCESS);
}

/* A thread inside of a protected call, in registered code; whoever forges an exception knows all that there is to know:
 * the program counter, the codes. Believed, it would end the call with a trap. */
typedef struct victim_t {
  wasm_access_t state;
  mach_port_t port;
  wasmtrap_status_t status;
} victim_t;

static void *spin(void *argument) {
  victim_t *const victim = argument;
  victim->port = library_port_of_this_thread();
  wasmtrap_trap_t trap;
  victim->status = host_call(&wasm_spin, &victim->state, &trap);
  return NULL;
}

static void inside_of_a_protected_call(void) {
  init_mach_ports(HOST_ALL_KINDS);
  host_register_code(&wasm_spin);
  victim_t victim;
  memset(&victim, 0, sizeof victim);
  pthread_t thread;
  must(pthread_create(&thread, NULL, spin, &victim) == 0);
  while (__atomic_load_n(&victim.state.address, __ATOMIC_ACQUIRE) == 0) sched_yield();
  for (int i = 0; i < 100; i++) {
    exception_request_t request = forged_exception();
    const uint64_t pc = wasm_fault_pc(&wasm_spin);
#if defined(__x86_64__)
    memcpy(&request.state[2 * 16], &pc, sizeof pc);
#else
    memcpy(&request.state[2 * 32], &pc, sizeof pc);
#endif
    forge(&request, victim.port);
  }
  same(dropped_messages(), 100, "each was dropped");
  __atomic_store_n(&victim.state.value, 1, __ATOMIC_RELEASE);
  must(pthread_join(thread, NULL) == 0);
  same(victim.status, WASMTRAP_OK, "the call returned, and did not trap");
}

/* While the fault handler runs, too: its return is told by an exception of the kernel's only. */
static mach_port_t own_port;
static int forged;

static wasmtrap_verdict_t forges(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  const uint64_t address = fault->fault_address;
  exception_request_t request = forged_exception();
  request.exception = EXC_BAD_INSTRUCTION;
  request.codes[0] = 1;
  forge(&request, own_port);
  forged++;
  make_accessible((void *)(uintptr_t)address);
  return WASMTRAP_VERDICT_RESUME;
}

static void during_the_fault_handler(void) {
  init_mach_ports(HOST_ALL_KINDS);
  own_port = library_port_of_this_thread();
  must(wasmtrap_set_fault_handler(forges, NULL) == WASMTRAP_OK);
  for (int i = 0; i < 20; i++) {
    wasm_access_t access = {address_of(inaccessible_page()), 0};
    wasm_load_in_leaf.function(&access);
    same(access.value, WASM_RED_ZONE_INTACT, "the code goes on as the handler said");
  }
  same(forged, 20, "asked once about each");
}

/* The port of another thread: the message names no thread, its port does. */
static void *trap_often(void *unused) {
  (void)unused;
  int trapped = 0;
  for (int i = 0; i < 300; i++) {
    wasmtrap_trap_t trap;
    trapped += load_what_must_not_be_touched(&trap) == WASMTRAP_TRAPPED && trap.exception == EXC_BAD_ACCESS;
  }
  same(trapped, 300, "each trap of a thread is its own");
  return NULL;
}

static void while_the_thread_traps(void) {
  init_mach_ports(HOST_ALL_KINDS);
  own_port = library_port_of_this_thread();
  pthread_t thread;
  must(pthread_create(&thread, NULL, trap_often, NULL) == 0);
  for (int i = 0; i < 200; i++) {
    exception_request_t request = forged_exception();
    forge(&request, own_port);
    traps_by_ports("a trap of this thread's own");
  }
  must(pthread_join(thread, NULL) == 0);
  same(dropped_messages(), 200, "all that was forged is dropped");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"about a thread inside of a protected call", inside_of_a_protected_call, 0},
      {"about a thread in the fault handler", during_the_fault_handler, 0},
      {"about a thread that traps", while_the_thread_traps, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
