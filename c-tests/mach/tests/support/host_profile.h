/*
 * What the host profile means for a test.
 *
 * Every program runs in every profile. It says what it needs of one; where that is not given it skips, with the reason.
 */
#ifndef HOST_PROFILE_H
#define HOST_PROFILE_H

#include <simulated_mach.h>

#include "ports.h"

/* Exceptions reach the thread's ports, and their answers come back: nothing is interrupted, bypassed or refused. */
#define NEEDS_DELIVERY 1
/* Any behavior may be set with a port of new_exception_port(), and messages bring control ports. */
#define NEEDS_CONTROL_PORTS 2
/* No more than the ordinary number of ports. */
#define NEEDS_MANY_PORTS 4
/* A slip in counting rights is an error code. */
#define NEEDS_HARMLESS_SLIPS 8
/* Nobody sits at task level, and EXCEPTION_STATE may be set there. */
#define NEEDS_FREE_TASK_LEVEL 16

/* Returns NULL, or why the profile does not have all of these. */
const char *host_lacks(int needs);
/* Ends the program as one that is skipped, if so. */
void host_must_have(int needs);

int host_is(const char *profile);
/* In the order in which they came. */
/* Neither EXCEPTION_IDENTITY_PROTECTED nor EXCEPTION_STATE_IDENTITY_PROTECTED. */
#define MACOS_11 1100
#define MACOS_13 1300
#define MACOS_14_0 1400
#define MACOS_14_2 1402
#define MACOS_14_4 1404
#define MACOS_14_6 1406
/* The first that knows EXCEPTION_STATE_IDENTITY_PROTECTED and MPO_EXCEPTION_PORT. */
#define MACOS_15 1500
#define MACOS_26 2600
int host_release(void);
/* Apple's own programs: slips kill. */
int host_is_hardened(void);
/* EXCEPTION_DEFAULT on a plain port is a violation, which this release kills for or counts. */
int host_is_policed(void);
/* It kills for it. */
int host_kills_for_behavior(void);
/* It kills for EXCEPTION_STATE on a plain port as well. */
int host_kills_for_state(void);
/* thread_set_state kills, outside of exceptions. */
int host_guards_thread_state(void);

/* Like new_port(), by mach_port_construct with the bit that opts out in 14, makes an exception port since 15, and is
 * nothing in 13. */
mach_port_t new_port_with_bit_0x8000(void);

simulated_rights_t rights_now(void);
/* One check: rights of every type are as they were. */
void same_rights(const simulated_rights_t *before, const char *name);

#endif
