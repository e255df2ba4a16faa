/*
 * What a trap and a protected call cost, beside the least that the same could cost: a bare sigaction handler that
 * rewrites the program counter, and a plain indirect call. The contestants take turns in one run, in rounds; what is
 * printed are medians over the rounds, and medians of the ratios within a round.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#include <wasmtrap.h>

enum { ROUNDS = 41, TRAPS = 4000, CALLS = 400000 };

/* A store to its argument, and the instruction behind it: what a bare handler skips to. */
void store_to(void *address);
extern const char store_to_start[], store_to_next[], store_to_end[];
#if defined(__x86_64__)
__asm__(".pushsection .text\n.globl store_to, store_to_start, store_to_next, store_to_end\n"
        ".type store_to, @function\nstore_to:\nstore_to_start:\n"
        "  movl $1, (%rdi)\nstore_to_next:\n  ret\nstore_to_end:\n.popsection");
#define PC(context) ((context)->uc_mcontext.gregs[REG_RIP])
typedef greg_t pc_t;
#else
__asm__(".pushsection .text\n.globl store_to, store_to_start, store_to_next, store_to_end\n"
        ".type store_to, @function\nstore_to:\nstore_to_start:\n"
        "  str wzr, [x0]\nstore_to_next:\n  ret\nstore_to_end:\n.popsection");
#define PC(context) ((context)->uc_mcontext.pc)
typedef unsigned long long pc_t;
#endif

static void return_at_once(void *argument) { (void)argument; }

static void raise_at_once(void *argument)
{
    (void)argument;
    wasmtrap_raise(WASMTRAP_CODE_UNREACHABLE, 0);
}

static void skip_the_store(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    PC((ucontext_t *)context) = (pc_t)store_to_next;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void *inaccessible;
static void (*volatile called)(void *) = return_at_once;

static double plain_calls(void)
{
    double start = now();
    for (int i = 0; i < CALLS; i++)
        called(NULL);
    return (now() - start) / CALLS;
}

static double protected_calls(void)
{
    double start = now();
    for (int i = 0; i < CALLS; i++)
        wasmtrap_call(called, NULL, NULL);
    return (now() - start) / CALLS;
}

static double raises(void)
{
    double start = now();
    for (int i = 0; i < CALLS; i++)
        wasmtrap_call(raise_at_once, NULL, NULL);
    return (now() - start) / CALLS;
}

static double bare_traps(void)
{
    struct sigaction ours, bare;
    memset(&bare, 0, sizeof bare);
    bare.sa_sigaction = skip_the_store;
    bare.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &bare, &ours);
    double start = now();
    for (int i = 0; i < TRAPS; i++)
        store_to(inaccessible);
    double time = (now() - start) / TRAPS;
    sigaction(SIGSEGV, &ours, NULL);
    return time;
}

static double traps(void)
{
    wasmtrap_trap_t trap = {0};
    trap.struct_size = sizeof trap;
    double start = now();
    for (int i = 0; i < TRAPS; i++)
        if (wasmtrap_call(store_to, inaccessible, &trap) != WASMTRAP_TRAPPED)
            abort();
    return (now() - start) / TRAPS;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values)
{
    double sorted[ROUNDS];
    memcpy(sorted, values, sizeof sorted);
    qsort(sorted, ROUNDS, sizeof *sorted, by_value);
    return sorted[ROUNDS / 2];
}

static void require(wasmtrap_status_t status)
{
    if (status == WASMTRAP_OK)
        return;
    fprintf(stderr, "%s: %s\n", wasmtrap_status_name(status), wasmtrap_last_error());
    exit(1);
}

int main(void)
{
    static const struct {
        const char *name;
        double (*measure)(void);
        int floor; /* the row that it is compared with */
    } rows[] = {
        {"plain indirect call", plain_calls, 0},
        {"protected call", protected_calls, 0},
        {"protected call that raises", raises, 0},
        {"bare sigaction handler, pc rewritten", bare_traps, 3},
        {"protected call that faults", traps, 3},
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    static double times[ROWS][ROUNDS];

    require(wasmtrap_init(NULL));
    inaccessible = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    wasmtrap_code_desc_t code = {0};
    code.struct_size = sizeof code;
    code.start = store_to_start;
    code.length = (size_t)(store_to_end - store_to_start);
    code.flags = WASMTRAP_CODE_STRICT;
    wasmtrap_region_desc_t region = {0};
    region.struct_size = sizeof region;
    region.base = inaccessible;
    region.length = 65536;
    uint64_t id;
    require(wasmtrap_code_register(&code, &id));
    require(wasmtrap_region_register(&region, &id));
    require(wasmtrap_thread_attach());

    for (int round = 0; round < ROUNDS; round++)
        for (int row = 0; row < ROWS; row++)
            times[row][round] = rows[row].measure();

    printf("%-38s %10s %10s   (medians of %d rounds)\n", "", "ns", "ratio", ROUNDS);
    for (int row = 0; row < ROWS; row++) {
        double ratios[ROUNDS];
        for (int round = 0; round < ROUNDS; round++)
            ratios[round] = times[row][round] / times[rows[row].floor][round];
        printf("%-38s %10.1f %10.2f\n", rows[row].name, median(times[row]), median(ratios));
    }
    return 0;
}
