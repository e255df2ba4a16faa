/* Runs WebAssembly's faults, each many times, and says that all of them came back as traps. */
#include "engine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 30 };

/* The instruction that may fault and the place behind it. */
static volatile uint64_t fault_pc, landing_pc;

int engine_landing_of(uint64_t pc, uint64_t *landing) {
  *landing = landing_pc;
  return pc == fault_pc;
}

#if defined(__x86_64__)
#define TRAPS(instruction)                                                                          \
  int trapped = 1;                                                                                  \
  __asm__ volatile("lea 1f(%%rip), %%rax\n\t"                                                       \
                   "mov %%rax, %1\n\t"                                                              \
                   "lea 2f(%%rip), %%rax\n\t"                                                       \
                   "mov %%rax, %2\n\t"                                                              \
                   "mov %%rax, %%rdx\n\t"                                                           \
                   "1: " instruction "\n\t"                                                         \
                   "movl $0, %0\n\t"                                                                \
                   "2:"                                                                             \
                   : "+m"(trapped), "=m"(fault_pc), "=m"(landing_pc)                                \
                   : "c"((uint64_t)16)                                                              \
                   : "rax", "rdx", "memory", "cc");                                                 \
  return trapped
static int unreachable(void) { TRAPS("ud2"); }
static int load(void) { TRAPS("mov (%%rcx), %%rax"); }
static int store(void) { TRAPS("movl $1, (%%rcx)"); }
/* The quotient of what is in rdx:rax by 16 does not fit: rdx has an address, from TRAPS. */
static int divide(void) { TRAPS("divq %%rcx"); }
#else
#define TRAPS(instruction)                                                                          \
  int trapped = 1;                                                                                  \
  __asm__ volatile("adr x9, 1f\n\t"                                                                 \
                   "str x9, %1\n\t"                                                                 \
                   "adr x9, 2f\n\t"                                                                 \
                   "str x9, %2\n\t"                                                                 \
                   "mov x10, #16\n\t"                                                               \
                   "1: " instruction "\n\t"                                                         \
                   "str wzr, %0\n\t"                                                                \
                   "2:"                                                                             \
                   : "+m"(trapped), "=m"(fault_pc), "=m"(landing_pc)                                \
                   :                                                                                \
                   : "x9", "x10", "memory", "cc");                                                  \
  return trapped
static int unreachable(void) { TRAPS("udf #0"); }
static int load(void) { TRAPS("ldr x9, [x10]"); }
static int store(void) { TRAPS("str x9, [x10]"); }
#endif

void engine_check(const char *what, int code) {
  if (code == KERN_SUCCESS) return;
  fprintf(stderr, "control: %s: %#x\n", what, (unsigned int)code);
  abort();
}

static mach_port_t port;

static void *serve(void *unused) {
  for (;;) {
    engine_message_t request, reply;
    engine_check("receiving", mach_msg(&request.header, MACH_RCV_MSG, 0, sizeof request, port, MACH_MSG_TIMEOUT_NONE,
                                       MACH_PORT_NULL));
    engine_check("a message of another number", request.header.msgh_id - engine_request_id);
    memset(&reply, 0, sizeof reply);
    reply.header.msgh_bits = MACH_MSGH_BITS(MACH_MSGH_BITS_REMOTE(request.header.msgh_bits), 0);
    reply.header.msgh_remote_port = request.header.msgh_remote_port;
    reply.header.msgh_id = request.header.msgh_id + 100;
    reply.header.msgh_size = engine_handle(&request, &reply);
    const mach_msg_return_t sent = mach_msg(&reply.header, MACH_SEND_MSG, reply.header.msgh_size, 0, MACH_PORT_NULL,
                                            MACH_MSG_TIMEOUT_NONE, MACH_PORT_NULL);
    if (sent != MACH_SEND_INVALID_DEST) engine_check("answering", sent);
  }
  return unused;
}

/* A server thread, and the calling thread's exceptions to it: those that WebAssembly makes traps of. */
static void take_over(void) {
  const exception_mask_t mask = EXC_MASK_BAD_ACCESS | EXC_MASK_BAD_INSTRUCTION | EXC_MASK_ARITHMETIC;
  pthread_t server;
  mach_port_options_t options = {0};
  options.flags = engine_port_flags;
  if (engine_port_flags == 0)
    engine_check("a port", mach_port_allocate(mach_task_self(), MACH_PORT_RIGHT_RECEIVE, &port));
  else
    engine_check("a port with flags", mach_port_construct(mach_task_self(), &options, 0, &port));
  engine_check("a send right", mach_port_insert_right(mach_task_self(), port, port, MACH_MSG_TYPE_MAKE_SEND));
  engine_check("a thread", pthread_create(&server, NULL, serve, NULL));
  engine_check("thread_set_exception_ports",
               thread_set_exception_ports(pthread_mach_thread_np(pthread_self()), mask, port,
                                          (exception_behavior_t)engine_behavior, ENGINE_FLAVOR));
}

int main(void) {
  int trapped = 0, made = 0;
  take_over();
  for (int round = 0; round < ROUNDS; round++) {
    trapped += unreachable() + load() + store();
    made += 3;
#if defined(__x86_64__)
    trapped += divide();
    made++;
#endif
  }
  printf("%d of %d traps\n", trapped, made);
  return trapped == made ? 0 : 1;
}
