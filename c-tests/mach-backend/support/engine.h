/*
 * Another engine in the process: it has exception ports at thread or task level, with a behavior and code size of its
 * own, and handles the faults of its own code.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <mach/mach.h>

#include "wasm_code.h"

/* What it answers. */
typedef enum engine_policy_t {
  /* It mends the cause: makes the page accessible, goes on behind an illegal instruction or a breakpoint, divides by 1
   * instead. */
  ENGINE_MENDS,
  /* It does not know the fault: the next level. */
  ENGINE_DECLINES,
  /* It has the thread go on elsewhere, as engines with landing pads do: for make_clobbered_fault. */
  ENGINE_LANDS
} engine_policy_t;

/* One exception message as it came. */
typedef struct engine_report_t {
  int id;
  int exception;
  unsigned int code_count;
  int64_t codes[2];
  /* 0 where the behavior brings no state. */
  int flavor;
  unsigned int state_count;
  natural_t state[256];
  int names_thread;
  int names_task;
} engine_report_t;

typedef struct engine_t {
  mach_port_t port;
  void *server;
  engine_policy_t policy;
  /* The thread whose faults it handles, and the page that it makes accessible. */
  mach_port_t subject;
  void *page;
} engine_t;

/* The calling thread is the one whose faults it handles. */
void engine_start(engine_t *engine, engine_policy_t policy);
/* With a port that may be set at task level too, where macOS 14 takes none that is opted out. */
void engine_start_for_task(engine_t *engine, engine_policy_t policy);
/* Destroys its port. */
void engine_stop(engine_t *engine);
/* Sets its port on the calling thread, or on the task. `behavior` is EXCEPTION_* with its flags. */
kern_return_t engine_takes_thread(engine_t *engine, exception_mask_t mask, unsigned int behavior);
kern_return_t engine_takes_task(engine_t *engine, exception_mask_t mask, unsigned int behavior);
/* How many exceptions it has answered, and the last one. */
int engine_count(const engine_t *engine);
const engine_report_t *engine_last(const engine_t *engine);
/* Checks that both messages are the same as far as the compiler lets the state be: without the library, and with it. */
void same_engine_reports(const engine_report_t *with, const engine_report_t *without, const char *name);

/* The flavor of state that engines ask for. */
int engine_state_flavor(void);
size_t engine_state_pc(const engine_report_t *report);
size_t engine_state_sp(const engine_report_t *report);

/* The kinds of fault that an engine's own code makes. */
typedef enum own_fault_t { OWN_LOAD, OWN_ILLEGAL, OWN_BREAKPOINT, OWN_DIVISION, OWN_FAULTS } own_fault_t;
extern const char *const own_fault_names[OWN_FAULTS];
/* Whether the processor has it. */
int own_fault_exists(own_fault_t fault);
/* Makes one, outside of all registered code, on the engine's subject; comes back when the engine has mended it. */
void make_own_fault(engine_t *engine, own_fault_t fault);
/* A fault with a pattern in every register, for an engine of ENGINE_LANDS. */
void make_clobbered_fault(engine_t *engine);
/* Checks of two of those that every register was the same. */
void same_engine_states(const engine_report_t *with, const engine_report_t *without);
/* The exception that it is, EXC_*, and its instruction as the state has it. */
int own_fault_exception(own_fault_t fault);
size_t own_fault_pc(own_fault_t fault);

/* Behaviors to go through, with the flags: whether this host lets the process set them without killing it. */
typedef struct engine_behavior_t {
  unsigned int behavior;
  const char *name;
  /* Shows control ports: fatal in recent hardened processes. */
  int shows_ports;
} engine_behavior_t;

enum { ENGINE_BEHAVIORS = 8 };
extern const engine_behavior_t engine_behaviors[ENGINE_BEHAVIORS];
/* NULL, or why it cannot be had here. */
const char *engine_behavior_missing(const engine_behavior_t *behavior);

#endif
