/*
 * Debian's libsigsegv, used as its own tests use it: a dispatcher that knows the areas of memory, whose handler leaves
 * by sigsegv_leave_handler; the continuation gives the signal back by sigprocmask and jumps. So the way in is _setjmp,
 * which asks the kernel nothing, and a trap costs one system call more.
 *
 * The stack overflow handler makes the library look at the memory map for every fault that the dispatcher declines, so
 * it is in place for the overflows only.
 */
#include "faults.h"
#include "peer.h"
#include "worker.h"

#include <setjmp.h>
#include <signal.h>
#include <sigsegv.h>

static jmp_buf *innermost;
static sigset_t mask;
static sigsegv_dispatcher dispatcher;

static void go_on(void *unused_1, void *unused_2, void *unused_3)
{
    (void)unused_1;
    (void)unused_2;
    (void)unused_3;
    sigprocmask(SIG_SETMASK, &mask, NULL);
    _longjmp(*innermost, 1);
}

static int leave_area(void *address, void *unused)
{
    (void)address;
    (void)unused;
    return sigsegv_leave_handler(go_on, NULL, NULL, NULL);
}

static int dispatch(void *address, int serious)
{
    (void)serious;
    return sigsegv_dispatch(&dispatcher, address);
}

static void leave_overflow(int emergency, stackoverflow_context_t context)
{
    (void)emergency;
    (void)context;
    sigsegv_leave_handler(go_on, NULL, NULL, NULL);
}

int peer_call(void (*function)(void *), void *argument)
{
    jmp_buf here, *outer = innermost;
    int trapped = _setjmp(here);
    if (!trapped) {
        innermost = &here;
        function(argument);
    }
    innermost = outer;
    return trapped;
}

static double overflows(const void *argument)
{
    static char stack[65536];
    worker_require(stackoverflow_install_handler(leave_overflow, stack, sizeof stack) == 0,
        "stackoverflow_install_handler");
    double time = peer_traps(argument);
    stackoverflow_deinstall_handler();
    return time;
}

int main(void)
{
    limit_the_stack();
    void *inaccessible = inaccessible_memory();
    sigprocmask(SIG_SETMASK, NULL, &mask);
    sigsegv_init(&dispatcher);
    sigsegv_register(&dispatcher, inaccessible, INACCESSIBLE_SIZE, leave_area, NULL);
    worker_require(sigsegv_install_handler(dispatch) == 0, "sigsegv_install_handler");
    const trap_t memory = {faults[FAULT_MEMORY].function, inaccessible, TRAPS};
    /* Some fifty times as slow as the other traps. */
    const trap_t overflow = {faults[FAULT_OVERFLOW].function, NULL, FEWER_TRAPS / 10};
    const trap_t call = {return_at_once, NULL, CALLS};
    const measure_t measures[] = {
        {"trap.roundtrip", "libsigsegv", peer_traps, &memory},
        {"trap.kinds.overflow", "libsigsegv", overflows, &overflow},
        {"call.entry", "libsigsegv", peer_calls, &call},
    };
    static const char *const other_signals = "it handles SIGSEGV alone";
    worker_absent("trap.kinds.unreachable", "libsigsegv", other_signals);
    worker_absent("trap.kinds.division", "libsigsegv", other_signals);
    worker_absent("trap.kinds.raise", "libsigsegv", "it has no such call");
    return worker_serve(measures, sizeof measures / sizeof *measures);
}
