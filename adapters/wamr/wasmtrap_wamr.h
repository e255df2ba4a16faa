/*
 * WAMR's traps by libwasmtrap: what core/shared/platform/common/posix/posix_thread.c of WAMR is compiled with,
 * `-include wasmtrap_wamr.h`. Its calls that would install a signal handler, set an alternate stack, or change the
 * signal mask go to wasmtrap_wamr.c. All else in that file stays WAMR's: threads, guard pages, the handler's judgement.
 */
#ifndef WASMTRAP_WAMR_H
#define WASMTRAP_WAMR_H

/* As posix_thread.c itself says, but before the first header. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>

/* Of this object alone: a second WAMR in the process has its own. */
#pragma GCC visibility push(hidden)

/* Hands WAMR's handler to the library, and gives as its earlier one a function that only returns. */
int wasmtrap_wamr_sigaction(int signal, const struct sigaction *action, struct sigaction *earlier);
/* Changes nothing: the thread has an alternate stack of the library's. Where `earlier` is NULL it leaves WAMR. */
int wasmtrap_wamr_sigaltstack(const stack_t *stack, stack_t *earlier);
/* Where a jump out of the handler has arrived, puts back the whole mask of the code that faulted. */
int wasmtrap_wamr_sigmask(int how, const sigset_t *set, sigset_t *earlier);

#pragma GCC visibility pop

/* Macros with arguments leave `struct sigaction` alone. */
#ifndef WASMTRAP_WAMR_IMPLEMENTATION
#define sigaction(signal, action, earlier) wasmtrap_wamr_sigaction(signal, action, earlier)
#define sigaltstack(stack, earlier) wasmtrap_wamr_sigaltstack(stack, earlier)
#define pthread_sigmask(how, set, earlier) wasmtrap_wamr_sigmask(how, set, earlier)
#endif

#endif
