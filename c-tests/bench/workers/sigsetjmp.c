/*
 * Surviving faults as most programs do that do it: sigsetjmp with the signal mask, a handler for the three signals on
 * an alternate stack, siglongjmp out of it. Calls nest, and each thread has its own; nothing is asked about the fault.
 */
#include "faults.h"
#include "peer.h"
#include "worker.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static __thread sigjmp_buf *innermost;

static void leave(int signal)
{
    siglongjmp(*innermost, signal);
}

int peer_call(void (*function)(void *), void *argument)
{
    sigjmp_buf here, *outer = innermost;
    int signal = sigsetjmp(here, 1);
    if (signal == 0) {
        innermost = &here;
        function(argument);
    }
    innermost = outer;
    return signal;
}

static void raise_at_once(void *argument)
{
    (void)argument;
    leave(SIGILL);
}

int main(void)
{
    limit_the_stack();
    enum { STACK_SIZE = 65536 };
    stack_t stack;
    memset(&stack, 0, sizeof stack);
    stack.ss_sp = malloc(STACK_SIZE);
    stack.ss_size = STACK_SIZE;
    worker_require(stack.ss_sp && sigaltstack(&stack, NULL) == 0, "sigaltstack");
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = leave;
    action.sa_flags = SA_ONSTACK;

    void *inaccessible = inaccessible_memory();
    trap_t traps[FAULT_KINDS];
    measure_t measures[FAULT_KINDS + 2];
    size_t count = 0;
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        worker_require(sigaction(faults[kind].signal, &action, NULL) == 0, "sigaction");
        traps[kind] = (trap_t){faults[kind].function, inaccessible, kind == FAULT_MEMORY ? TRAPS : FEWER_TRAPS};
        if (faults[kind].function)
            measures[count++] = (measure_t){faults[kind].row, "sigsetjmp", peer_traps, &traps[kind]};
    }
    static const trap_t raise = {raise_at_once, NULL, RAISES}, call = {return_at_once, NULL, RAISES};
    measures[count++] = (measure_t){"trap.kinds.raise", "sigsetjmp", peer_traps, &raise};
    measures[count++] = (measure_t){"call.entry", "sigsetjmp", peer_calls, &call};
    return worker_serve(measures, count);
}
