/*
 * What the controls share: faults as compiled WebAssembly makes them, a server thread, and a main program.
 *
 * A control is a small trap handler on Mach exception ports, complete enough to work, that asks for one behavior.
 * Nothing here needs more than what macOS has: the controls are built and run there as they are.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdint.h>

#include <mach/mach.h>

#if defined(__x86_64__)
typedef x86_thread_state64_t engine_state_t;
#define ENGINE_FLAVOR x86_THREAD_STATE64
#define ENGINE_STATE_COUNT x86_THREAD_STATE64_COUNT
#define ENGINE_PC(state) ((state)->__rip)
#else
typedef arm_thread_state64_t engine_state_t;
#define ENGINE_FLAVOR ARM_THREAD_STATE64
#define ENGINE_STATE_COUNT ARM_THREAD_STATE64_COUNT
#define ENGINE_PC(state) ((state)->__pc)
#endif

/* Room for any request of the behaviors here, with its trailer, and for any reply. */
typedef union engine_message {
  mach_msg_header_t header;
  unsigned char bytes[2048];
} engine_message_t;

/* Each control's own: its behavior, the number of its requests, flags for mach_port_construct if its port is to be made
 * by that, and what it does with a request. */
extern const unsigned int engine_behavior;
extern const mach_msg_id_t engine_request_id;
extern const unsigned int engine_port_flags;
/* Fills in the reply behind its header; returns its size. */
mach_msg_size_t engine_handle(engine_message_t *request, engine_message_t *reply);

/* Whether the faulting instruction is the engine's, and if so, where the thread goes on. */
int engine_landing_of(uint64_t pc, uint64_t *landing);
/* As engines assert. */
void engine_check(const char *what, int code);

#endif
