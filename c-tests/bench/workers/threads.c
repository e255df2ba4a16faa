/*
 * threads MANY: traps of several threads at once, alone or while another thread registers and unregisters code, with
 * the library and with floors. What comes out is the time from the start of all to the end of the last, over the number
 * of all their traps.
 *
 * With 8 for MANY these are the rows of one to eight threads; with more it is a row of so many, beside whom code comes
 * and goes.
 *
 * In the floor's rounds the other thread registers as well, so that both share the processors with the same work.
 */
#include "faults.h"
#include "floors.h"
#include "library.h"
#include "worker.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

/* A window is short, so that most are free of what else the machine does; a round is the best of its windows. */
enum { FEW_THREADS = 8, MOST_THREADS = 512, TRAPS = 800, TRAPS_OF_MANY = 100, WARM_UP = 50, WINDOWS = 3 };

enum { NO_FLOOR = -1 };

typedef struct {
    int threads;
    int registering;
    /* A floor_t, or NO_FLOOR. */
    int floor;
    /* How often each thread traps. */
    int traps;
} round_t;

static const fault_t *const fault = &faults[FAULT_MEMORY];
static void *inaccessible;
static const round_t *current;
static pthread_barrier_t begin, end;
static sem_t done;
static double started[MOST_THREADS], stopped[MOST_THREADS];
static int stop_registering;

static void trap(int times)
{
    wasmtrap_trap_t record = {0};
    record.struct_size = sizeof record;
    if (current->floor != NO_FLOOR)
        floor_faults((floor_t)current->floor, fault, inaccessible, times);
    else
        for (int i = 0; i < times; i++)
            if (wasmtrap_call(fault->function, inaccessible, &record) != WASMTRAP_TRAPPED)
                abort();
}

/* The threads last, as those of an engine do. In each round, the first of them trap. */
static void *thread_body(void *argument)
{
    int self = (int)(size_t)argument;
    require_ok(wasmtrap_thread_attach());
    for (;;) {
        pthread_barrier_wait(&begin);
        if (self < current->threads) {
            trap(WARM_UP);
            started[self] = worker_now();
            trap(current->traps);
            stopped[self] = worker_now();
            sem_post(&done);
        }
        pthread_barrier_wait(&end);
    }
    return NULL;
}

static void *register_body(void *argument)
{
    static const char elsewhere[64];
    (void)argument;
    for (;;) {
        pthread_barrier_wait(&begin);
        while (current->registering && !__atomic_load_n(&stop_registering, __ATOMIC_RELAXED))
            require_ok(wasmtrap_code_unregister(register_code(elsewhere, sizeof elsewhere)));
        pthread_barrier_wait(&end);
    }
    return NULL;
}

static double window(void)
{
    stop_registering = 0;
    pthread_barrier_wait(&begin);
    for (int i = 0; i < current->threads; i++)
        while (sem_wait(&done) != 0)
            continue;
    __atomic_store_n(&stop_registering, 1, __ATOMIC_RELAXED);
    pthread_barrier_wait(&end);

    double first = started[0], last = stopped[0];
    for (int i = 1; i < current->threads; i++) {
        first = started[i] < first ? started[i] : first;
        last = stopped[i] > last ? stopped[i] : last;
    }
    return (last - first) / (current->traps * current->threads);
}

static double traps_by_jump(const void *argument)
{
    current = argument;
    if (current->floor != NO_FLOOR)
        floor_install((floor_t)current->floor, fault);
    double best = window();
    for (int i = 1; i < WINDOWS; i++) {
        double time = window();
        best = time < best ? time : best;
    }
    if (current->floor != NO_FLOOR)
        floor_remove(fault);
    return best;
}

static double traps(const void *argument) { return by_sigreturn(traps_by_jump, argument); }

static pthread_t start(void *(*body)(void *), int number)
{
    pthread_t thread;
    worker_require(pthread_create(&thread, NULL, body, (void *)(size_t)number) == 0, "pthread_create");
    return thread;
}

static round_t round_of(int threads, int registering, int floor)
{
    int traps = threads > FEW_THREADS ? TRAPS_OF_MANY : TRAPS / threads;
    return (round_t){threads, registering, floor, traps};
}

static int serve_a_few(void)
{
    static const struct {
        const char *row;
        int threads, registering;
    } rows[] = {
        {"threads.scale.1", 1, 0},
        {"threads.scale.2", 2, 0},
        {"threads.scale.8", 8, 0},
        {"threads.scale.1_registering", 1, 1},
        {"threads.scale.2_registering", 2, 1},
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    static round_t rounds[2 * ROWS];
    measure_t measures[2 * ROWS];
    for (int i = 0; i < ROWS; i++) {
        rounds[2 * i] = round_of(rows[i].threads, rows[i].registering, NO_FLOOR);
        rounds[2 * i + 1] = round_of(rows[i].threads, rows[i].registering, RAW_CONTEXT);
        measures[2 * i] = (measure_t){rows[i].row, "wasmtrap", traps, &rounds[2 * i]};
        measures[2 * i + 1] = (measure_t){rows[i].row, floor_names[RAW_CONTEXT], traps, &rounds[2 * i + 1]};
    }
    return worker_serve(measures, 2 * ROWS);
}

static int serve_many(int threads)
{
    static char row[32];
    snprintf(row, sizeof row, "threads.many.%d", threads);
    const round_t rounds[] = {round_of(threads, 1, NO_FLOOR), round_of(threads, 1, RAW_CONTEXT),
                              round_of(threads, 1, RAW_JUMP_FULL_MASK)};
    const measure_t measures[] = {
        {row, "wasmtrap", traps, &rounds[0]},
        {row, "wasmtrap_jump", traps_by_jump, &rounds[0]},
        {row, floor_names[RAW_CONTEXT], traps, &rounds[1]},
        {row, floor_names[RAW_JUMP_FULL_MASK], traps, &rounds[2]},
    };
    return worker_serve(measures, sizeof measures / sizeof *measures);
}

int main(int argc, char **argv)
{
    int many = argc == 2 ? atoi(argv[1]) : 0;
    if (many < FEW_THREADS || many > MOST_THREADS) {
        fprintf(stderr, "usage: %s MANY (%d to %d)\n", argv[0], FEW_THREADS, MOST_THREADS);
        return 2;
    }
    init_to_leave_by_jump();
    inaccessible = inaccessible_memory();
    register_region(inaccessible, INACCESSIBLE_SIZE);
    register_code(fault->start, (size_t)(fault->end - fault->start));
    floors_prepare();
    unsigned waiting = (unsigned)many + 2;
    worker_require(pthread_barrier_init(&begin, NULL, waiting) == 0, "pthread_barrier_init");
    worker_require(pthread_barrier_init(&end, NULL, waiting) == 0, "pthread_barrier_init");
    worker_require(sem_init(&done, 0, 0) == 0, "sem_init");
    for (int i = 0; i < many; i++)
        start(thread_body, i);
    start(register_body, 0);
    return many == FEW_THREADS ? serve_a_few() : serve_many(many);
}
