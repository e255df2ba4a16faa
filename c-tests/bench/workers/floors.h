/*
 * The floors: the least that surviving a fault costs on this kernel, in bare C, without asking whose fault it is.
 *
 *     raw_context            a handler that writes another program counter into the context and returns
 *     raw_jump               a handler that jumps out (__builtin_longjmp), so that there is no rt_sigreturn; that would
 *                            have unblocked the signal, hence SA_NODEFER. A burst of sent signals piles up frames over
 *                            it until the alternate stack is full, and the kernel ends the process
 *     raw_jump_no_siginfo    the same without SA_SIGINFO, so that the kernel copies no siginfo_t to the stack. Below
 *                            what a library can do, which has to look at si_code
 *     raw_jump_unblocking    a handler that has its signal blocked, so that bursts do no harm, and unblocks it by one
 *                            system call before it jumps
 *     raw_jump_full_mask     what a library must do beside a collector that stops threads by signals: all signals are
 *                            blocked while the handler runs on the alternate stack, it jumps to the thread's own stack,
 *                            and one system call there puts the mask back
 *
 * Invariant: while a floor is not measured, the signal dispositions are those that were there, down to the restorer
 * that only the kernel's own system call shows.
 */
#ifndef BENCH_FLOORS_H
#define BENCH_FLOORS_H

#include "faults.h"

typedef enum { RAW_CONTEXT, RAW_JUMP, RAW_JUMP_NO_SIGINFO, RAW_JUMP_UNBLOCKING, RAW_JUMP_FULL_MASK, FLOORS } floor_t;
extern const char *const floor_names[FLOORS];

/* Before any use; the dispositions that are there stay. */
void floors_prepare(void);

/* Puts a floor's handler for the fault in place, and what was there back. */
void floor_install(floor_t floor, const fault_t *fault);
void floor_remove(const fault_t *fault);

/* Faults `times` times and survives by the installed floor. */
void floor_faults(floor_t floor, const fault_t *fault, void *address, int times);

/* The software path to the same landing: jumps out of a function. */
void floor_jumps(const void *unused, int times);

/* Calls a function where a jump could come back, and none does. */
void floor_calls(const void *unused, int times);

#endif
