/* Signal handlers as hosts install them, and pass signals on. */
#ifndef HANDLERS_H
#define HANDLERS_H

#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*signal_handler_t)(int signal, siginfo_t *info, void *context);

/* Installs a three-argument handler with `flags` besides SA_SIGINFO and an empty mask; returns what was there. */
struct sigaction install_handler(int signal, signal_handler_t handler, int flags);
/* Hands a signal to a handler that one's own has replaced, as well-behaved programs do. */
void pass_on(const struct sigaction *previous, int signal, siginfo_t *info, void *context);
/* After the last call in a function: the compiler must not make a jump of it. A handler that another one has jumped to
 * finds the stack as if the kernel had called it. */
#define NOT_A_TAIL_CALL() __asm__ volatile("")
/* Whether the kernel made the signal because of what the thread did. Signal-safe. */
int is_fault(const siginfo_t *info, void *context);
/* A handler that was there before the library: makes the page of a fault accessible, and lets signals that were sent
 * pass. */
void mending_handler(int signal, siginfo_t *info, void *context);
/* A newer one: passes everything on to what it has replaced. Both end the process if they are called without end. */
void passing_handler(int signal, siginfo_t *info, void *context);
void install_passing_handler(int signal, int flags);
/* Runs a function on the thread's alternate stack, in the handler of a signal that the thread sends to itself at a
 * quiet moment, so that it may do more than other handlers. Returns 0 where there are no such stacks. */
int run_on_alternate_stack(void (*function)(void));
/* How often they were called. */
extern volatile int mending_calls, passing_calls;
/* The disposition now. */
struct sigaction disposition_of(int signal);
/* Whether a program would say that two dispositions are the same: handler, flags, mask. */
int same_disposition(const struct sigaction *one, const struct sigaction *other);

#ifdef __cplusplus
}
#endif

#endif
