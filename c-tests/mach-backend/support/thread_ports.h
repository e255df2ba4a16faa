/* What a thread's exception ports are, and what rights the task has, before and after. Plain Mach calls. */
#ifndef THREAD_PORTS_H
#define THREAD_PORTS_H

#include <mach/mach.h>

/* The exceptions that the library takes by default, and with breakpoints. */
#define DEFAULT_EXCEPTIONS (EXC_MASK_BAD_ACCESS | EXC_MASK_BAD_INSTRUCTION | EXC_MASK_ARITHMETIC)
#define ALL_EXCEPTIONS (DEFAULT_EXCEPTIONS | EXC_MASK_BREAKPOINT)

/* For each type of exception, by its number. The rights that came with the answer are given back. */
typedef struct thread_ports_t {
  mach_port_t ports[EXC_TYPES_COUNT];
  exception_behavior_t behaviors[EXC_TYPES_COUNT];
  thread_state_flavor_t flavors[EXC_TYPES_COUNT];
} thread_ports_t;

thread_ports_t thread_ports_of(mach_port_t thread);
/* Of the calling thread. */
thread_ports_t thread_ports_now(void);
/* The port that takes the calling thread's exceptions of this type now. */
mach_port_t exception_port_now(int exception);
/* One check. */
int same_thread_ports(const thread_ports_t *got, const thread_ports_t *expected, const char *name);

/* Rights by type: a name counts once, and its references count too. */
typedef struct task_rights_t {
  unsigned int receive;
  unsigned int send_names;
  unsigned int send_references;
  unsigned int send_once;
  unsigned int port_sets;
  unsigned int dead_names;
  unsigned int dead_references;
} task_rights_t;

/* Waits, if there are dead names, for the names of threads that have just ended to go. */
task_rights_t task_rights_now(void);
/* One check. */
int same_task_rights(const task_rights_t *before, const char *name);

/* What the library has: look when nothing else makes ports. */
typedef struct library_ports_t {
  mach_port_t set;
  mach_port_t control;
} library_ports_t;

/* Calls wasmtrap_init with the defaults. */
library_ports_t init_and_find_library_ports(void);

#endif
