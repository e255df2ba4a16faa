/*
 * The first steps with ports that most tests take: Mach calls that a Mac has too.
 */
#ifndef PORTS_H
#define PORTS_H

#include <pthread.h>

#include <mach/mach.h>

#include "tap.h"

/* A receive right with one send right, under one name. */
mach_port_t new_port(void);
/* The same, with which EXCEPTION_STATE may be set on a thread wherever that may be set at all: opted out in the
 * simulated kernels of macOS 14 (host_profile.c). On a Mac no program of one's own needs that. */
mach_port_t new_exception_port(void);
/* Gives both back. */
void free_port(mach_port_t port);
mach_port_t this_thread(void);
/* How many references of a right a name has; 0 if none. */
mach_port_urefs_t references(mach_port_t name, mach_port_right_t right);
mach_port_type_t type_of(mach_port_t name);

#endif
