/*
 * From the call that interrupts another thread to that thread out of its endless loop: wasmtrap_interrupt, which ends
 * the protected call with a trap, and the floor, pthread_kill with a handler that writes another program counter into
 * the context. The other thread tells by the clock when it is out.
 */
#include "library.h"
#include "worker.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { INTERRUPTS = 10 };

/* Says that it has begun by a 1 at `began`, and goes round for ever. */
void loop_for_ever(void *began);
extern const char loop_start[], loop_out[], loop_end[];
#if defined(__x86_64__)
#define LOOP "  movl $1, (%rdi)\n1:pause\n  jmp 1b\n"
#define PROGRAM_COUNTER(context) ((context)->uc_mcontext.gregs[REG_RIP])
typedef greg_t word_t;
#else
#define LOOP "  mov w1, #1\n  str w1, [x0]\n1:yield\n  b 1b\n"
#define PROGRAM_COUNTER(context) ((context)->uc_mcontext.pc)
typedef unsigned long long word_t;
#endif
__asm__(".pushsection .text\n.p2align 4\n.type loop_for_ever, @function\n"
        ".globl loop_for_ever, loop_start, loop_out, loop_end\n"
        "loop_for_ever:\nloop_start:\n" LOOP "loop_out:\n  ret\nloop_end:\n.popsection");

static sem_t go, out;
static int began;
static int with_the_floor;
static wasmtrap_run_t run;
static double left_at;

static void leave_the_loop(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    PROGRAM_COUNTER((ucontext_t *)context) = (word_t)loop_out;
}

static void await(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        continue;
}

static void *looping_body(void *argument)
{
    require_ok(wasmtrap_thread_attach());
    wasmtrap_trap_t record = {0};
    record.struct_size = sizeof record;
    for (;;) {
        await(&go);
        if (with_the_floor)
            loop_for_ever(&began);
        else if (wasmtrap_run_call(run, loop_for_ever, &began, &record) != WASMTRAP_TRAPPED ||
                 record.source != WASMTRAP_SOURCE_INTERRUPT)
            abort();
        left_at = worker_now();
        sem_post(&out);
    }
    return argument;
}

static pthread_t looping;

/* The best: the scheduler comes in between now and then. */
static double best_of_some(void (*interrupt)(void))
{
    double best = 0;
    for (int i = 0; i < INTERRUPTS; i++) {
        __atomic_store_n(&began, 0, __ATOMIC_RELAXED);
        if (!with_the_floor)
            require_ok(wasmtrap_run_open(&run));
        sem_post(&go);
        while (!__atomic_load_n(&began, __ATOMIC_ACQUIRE))
            sched_yield();
        double start = worker_now();
        interrupt();
        await(&out);
        double time = left_at - start;
        best = i == 0 || time < best ? time : best;
        if (!with_the_floor)
            require_ok(wasmtrap_run_close(run));
    }
    return best;
}

static void by_the_library(void) { require_ok(wasmtrap_interrupt(run, WASMTRAP_CODE_INTERRUPT, 0)); }
static void by_a_signal(void) { worker_require(pthread_kill(looping, SIGUSR1) == 0, "pthread_kill"); }

static double ours(const void *unused)
{
    (void)unused;
    with_the_floor = 0;
    return best_of_some(by_the_library);
}

static double floors(const void *unused)
{
    (void)unused;
    with_the_floor = 1;
    return best_of_some(by_a_signal);
}

int main(void)
{
    wasmtrap_options_t options = {0};
    options.struct_size = sizeof options;
    options.interrupt_signal = SIGRTMIN + 5;
    require_ok(wasmtrap_init(&options));
    register_code(loop_start, (size_t)(loop_end - loop_start));
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    action.sa_sigaction = leave_the_loop;
    sigfillset(&action.sa_mask);
    worker_require(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
    worker_require(sem_init(&go, 0, 0) == 0 && sem_init(&out, 0, 0) == 0, "sem_init");
    worker_require(pthread_create(&looping, NULL, looping_body, NULL) == 0, "pthread_create");
    const measure_t measures[] = {
        {"interrupt", "wasmtrap", ours, NULL},
        {"interrupt", "pthread_kill", floors, NULL},
    };
    return worker_serve(measures, sizeof measures / sizeof *measures);
}
