/* What the kernel's rules are for this process. On a Mac a program of one's own is never hardened as Apple's are. */
#ifndef HOST_RULES_H
#define HOST_RULES_H

/* Exception ports with EXCEPTION_DEFAULT and its like are fatal. */
int kernel_kills_for_showing_ports(void);
/* The rules for hardened processes hold here, whatever this version of the kernel does about their breach. */
int process_is_hardened(void);
/* The library puts no exception port with EXCEPTION_DEFAULT and its like back: the kernel may kill it for that. */
int showing_ports_is_forbidden(void);
/* EXCEPTION_STATE is fatal on a port that is not opted out, as in 14.4 and 14.6. */
int kernel_kills_for_state(void);
/* The library puts no exception port with EXCEPTION_STATE back. */
int state_is_forbidden(void);
/* With its flags, one that an engine may ask for and the library puts back: EXCEPTION_STATE wherever that may be. */
unsigned int harmless_behavior(void);
/* Exception messages bring ports with which nothing can be changed. */
int messages_bring_read_ports(void);
/* Whether a port may be set with this behavior at all; asks only for harmless ones. */
int kernel_knows_behavior(int behavior);
/* Every exception is offered to the ports; none is interrupted on its way. */
int every_exception_is_delivered(void);
/* Somebody at task level takes breakpoints. */
int a_debugger_takes_breakpoints(void);

#endif
