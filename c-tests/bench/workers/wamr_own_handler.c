/*
 * WAMR on its own handler: what its file posix_thread.c, compiled for the library, calls is what it calls otherwise.
 */
#define WASMTRAP_WAMR_IMPLEMENTATION
#include "wasmtrap_wamr.h"

#include "wamr.h"

const char contestant[] = "wamr_own_handler";

void set_up(void) {}

int wasmtrap_wamr_sigaction(int signal, const struct sigaction *action, struct sigaction *earlier)
{
    return sigaction(signal, action, earlier);
}

int wasmtrap_wamr_sigaltstack(const stack_t *stack, stack_t *earlier) { return sigaltstack(stack, earlier); }

int wasmtrap_wamr_sigmask(int how, const sigset_t *set, sigset_t *earlier)
{
    return pthread_sigmask(how, set, earlier);
}
