#include "floors.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "worker.h"

const char *const floor_names[FLOORS] = {"raw_context", "raw_jump", "raw_jump_no_siginfo", "raw_jump_unblocking",
                                          "raw_jump_full_mask"};

#if defined(__x86_64__)
#define PROGRAM_COUNTER(context) ((context)->uc_mcontext.gregs[REG_RIP])
typedef greg_t word_t;
#else
#define PROGRAM_COUNTER(context) ((context)->uc_mcontext.pc)
typedef unsigned long long word_t;
#endif

/* ---- Handlers ---- */

static const char *resume_at;
static __thread void *jump_buffer[5];

static void rewrite_context(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    PROGRAM_COUNTER((ucontext_t *)context) = (word_t)resume_at;
}

static void jump_out(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    __builtin_longjmp(jump_buffer, 1);
}

static void jump_out_plainly(int signal)
{
    (void)signal;
    __builtin_longjmp(jump_buffer, 1);
}

enum { KERNEL_SET_SIZE = 8 };

static void unblock_and_jump_out(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &((ucontext_t *)context)->uc_sigmask, NULL, KERNEL_SET_SIZE);
    __builtin_longjmp(jump_buffer, 1);
}

static __thread unsigned long interrupted_mask;

static void keep_the_mask_and_jump_out(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    memcpy(&interrupted_mask, &((ucontext_t *)context)->uc_sigmask, sizeof interrupted_mask);
    __builtin_longjmp(jump_buffer, 1);
}

/* ---- Dispositions, as the kernel has them ---- */

typedef struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
} kernel_action_t;

static const int signals[] = {SIGSEGV, SIGILL, SIGFPE};
enum { SIGNALS = sizeof signals / sizeof *signals };

static kernel_action_t actions[FLOORS], found[SIGNALS];

static void exchange(int signal, const kernel_action_t *action, kernel_action_t *before)
{
    worker_require(syscall(SYS_rt_sigaction, signal, action, before, sizeof action->mask) == 0, "rt_sigaction");
}

static kernel_action_t *place_of(int signal)
{
    int i = 0;
    while (signals[i] != signal)
        i++;
    return &found[i];
}

void floors_prepare(void)
{
    static const struct {
        int flags;
        void (*handler)(int, siginfo_t *, void *);
        void (*plain_handler)(int);
        int full_mask;
    } kinds[FLOORS] = {
        [RAW_CONTEXT] = {SA_SIGINFO, rewrite_context, NULL, 0},
        [RAW_JUMP] = {SA_SIGINFO | SA_NODEFER, jump_out, NULL, 0},
        [RAW_JUMP_NO_SIGINFO] = {SA_NODEFER, NULL, jump_out_plainly, 0},
        [RAW_JUMP_UNBLOCKING] = {SA_SIGINFO, unblock_and_jump_out, NULL, 0},
        [RAW_JUMP_FULL_MASK] = {SA_SIGINFO, keep_the_mask_and_jump_out, NULL, 1},
    };
    for (floor_t floor = 0; floor < FLOORS; floor++) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_flags = kinds[floor].flags | SA_ONSTACK;
        if (kinds[floor].full_mask)
            sigfillset(&action.sa_mask);
        if (kinds[floor].plain_handler)
            action.sa_handler = kinds[floor].plain_handler;
        else
            action.sa_sigaction = kinds[floor].handler;

        /* libc adds its restorer, so let it install the action once. */
        kernel_action_t before;
        exchange(SIGSEGV, NULL, &before);
        worker_require(sigaction(SIGSEGV, &action, NULL) == 0, "sigaction");
        exchange(SIGSEGV, &before, &actions[floor]);
    }
}

void floor_install(floor_t floor, const fault_t *fault)
{
    resume_at = fault->resume;
    exchange(fault->signal, &actions[floor], place_of(fault->signal));
}

void floor_remove(const fault_t *fault)
{
    exchange(fault->signal, place_of(fault->signal), NULL);
}

/* ---- Faulting ---- */

/* Not inlined: a function that jumps are made back to keeps nothing in registers. */
static __attribute__((noinline)) void call_and_come_back(void (*function)(void *), void *argument)
{
    if (__builtin_setjmp(jump_buffer) == 0)
        function(argument);
}

static __attribute__((noinline)) void call_and_come_back_with_the_mask(void (*function)(void *), void *argument)
{
    if (__builtin_setjmp(jump_buffer) == 0)
        function(argument);
    else
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &interrupted_mask, NULL, KERNEL_SET_SIZE);
}

void floor_faults(floor_t floor, const fault_t *fault, void *address, int times)
{
    if (floor == RAW_CONTEXT) {
        for (int i = 0; i < times; i++)
            fault->function(address);
    } else if (floor == RAW_JUMP_FULL_MASK) {
        for (int i = 0; i < times; i++)
            call_and_come_back_with_the_mask(fault->function, address);
    } else {
        for (int i = 0; i < times; i++)
            call_and_come_back(fault->function, address);
    }
}

static void jump_at_once(void *argument)
{
    (void)argument;
    __builtin_longjmp(jump_buffer, 1);
}

static void return_at_once(void *argument) { (void)argument; }

static void call_and_come_back_each(void (*function)(void *), int times)
{
    void (*volatile called)(void *) = function;
    for (int i = 0; i < times; i++)
        call_and_come_back(called, NULL);
}

void floor_jumps(const void *unused, int times)
{
    (void)unused;
    call_and_come_back_each(jump_at_once, times);
}

void floor_calls(const void *unused, int times)
{
    (void)unused;
    call_and_come_back_each(return_at_once, times);
}
