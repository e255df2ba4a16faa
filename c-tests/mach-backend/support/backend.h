/* Whether the Mach backend is what handles the faults of a test. */
#ifndef BACKEND_H
#define BACKEND_H

#include "host.h"

/* wasmtrap_init with these kinds of fault, 0 for the default; the test ends if the backend is not Mach ports. */
void init_mach_ports(uint32_t kinds);
/* The same with options. */
void init_mach_ports_with(const wasmtrap_options_t *options);
/* Options with only their size set. */
wasmtrap_options_t no_options(void);
/* A load of memory that must not be touched, under protection; `trap` is its record. */
wasmtrap_status_t load_what_must_not_be_touched(wasmtrap_trap_t *trap);
/* One check: such a load traps, and its exception came to the library's port. */
int traps_by_ports(const char *name);
/* One check: it traps, as a signal. */
int traps_by_signals(const char *name);
/* Runs `function` on a thread of its own and waits for its end. */
void on_a_thread(void *(*function)(void *argument), void *argument);

#endif
