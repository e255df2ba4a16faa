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
/* Any behavior may be set, and messages bring control ports. */
#define NEEDS_CONTROL_PORTS 2
/* No more than the ordinary number of ports. */
#define NEEDS_MANY_PORTS 4
/* A slip in counting rights is an error code. */
#define NEEDS_HARMLESS_SLIPS 8
/* Nobody sits at task level. */
#define NEEDS_FREE_TASK_LEVEL 16

/* Returns NULL, or why the profile does not have all of these. */
const char *host_lacks(int needs);
/* Ends the program as one that is skipped, if so. */
void host_must_have(int needs);

int host_is(const char *profile);
/* Apple's own programs: slips and forbidden behaviors of recent systems kill. */
int host_is_hardened(void);
/* EXCEPTION_DEFAULT kills. */
int host_kills_for_behavior(void);

/* The kernel knows neither EXCEPTION_STATE_IDENTITY_PROTECTED nor MPO_EXCEPTION_PORT. */
int host_is_older_than_15(void);

simulated_rights_t rights_now(void);
/* One check: rights of every type are as they were. */
void same_rights(const simulated_rights_t *before, const char *name);

#endif
