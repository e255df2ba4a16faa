/*
 * What a thread costs: creating and joining one that makes a plain call, and one that makes a protected call, which
 * attaches it, and has it detached at its end. And what an attached thread holds: 64 threads wait, attach themselves
 * and trap once, and wait again, while the process's memory is looked at.
 */
#include "faults.h"
#include "library.h"
#include "worker.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIFETIMES = 20, WAITING = 64 };

static void return_at_once(void *argument) { (void)argument; }
static void (*volatile called)(void *) = return_at_once;

static void *plain_body(void *argument)
{
    called(NULL);
    return argument;
}

static void *protected_body(void *argument)
{
    require_ok(wasmtrap_call(called, NULL, NULL));
    return argument;
}

static void live(const void *body_of_thread, int times)
{
    void *(*body)(void *);
    memcpy(&body, body_of_thread, sizeof body);
    for (int i = 0; i < times; i++) {
        pthread_t thread;
        worker_require(pthread_create(&thread, NULL, body, NULL) == 0, "pthread_create");
        pthread_join(thread, NULL);
    }
}

static double lifetimes(const void *body) { return worker_time(live, body, LIFETIMES); }

/* ---- Memory ---- */

static const fault_t *const fault = &faults[FAULT_MEMORY];
static void *inaccessible;
static pthread_barrier_t step;

static void *waiting_body(void *argument)
{
    /* A thread's first malloc makes an arena, which is not the library's doing. */
    void *volatile first = malloc(1);
    free(first);
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    if (wasmtrap_call(fault->function, inaccessible, NULL) != WASMTRAP_TRAPPED)
        abort();
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    return argument;
}

/* A line of /proc/self/FILE that begins with `field` and goes on with a number of kilobytes. */
static double bytes_of(const char *file, const char *field)
{
    FILE *lines = fopen(file, "r");
    worker_require(lines != NULL, file);
    char line[256];
    long kilobytes = -1;
    while (kilobytes < 0 && fgets(line, sizeof line, lines))
        if (strncmp(line, field, strlen(field)) == 0)
            kilobytes = strtol(line + strlen(field), NULL, 10);
    fclose(lines);
    worker_require(kilobytes >= 0, field);
    return (double)kilobytes * 1024;
}

static double mapped(void) { return bytes_of("/proc/self/status", "VmSize:"); }
static double heap(void) { return (double)mallinfo2().uordblks; }
static double resident(void) { return bytes_of("/proc/self/smaps_rollup", "Rss:"); }

static double bytes_each(const void *argument)
{
    double (*bytes)(void);
    memcpy(&bytes, argument, sizeof bytes);
    pthread_t threads[WAITING];
    for (int i = 0; i < WAITING; i++)
        worker_require(pthread_create(&threads[i], NULL, waiting_body, NULL) == 0, "pthread_create");
    pthread_barrier_wait(&step);
    double before = bytes();
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    double after = bytes();
    pthread_barrier_wait(&step);
    for (int i = 0; i < WAITING; i++)
        pthread_join(threads[i], NULL);
    return (after - before) / WAITING;
}

int main(void)
{
    require_ok(wasmtrap_init(NULL));
    inaccessible = inaccessible_memory();
    register_region(inaccessible, INACCESSIBLE_SIZE);
    register_code(fault->start, (size_t)(fault->end - fault->start));
    worker_require(pthread_barrier_init(&step, NULL, WAITING + 1) == 0, "pthread_barrier_init");
    static void *(*const plain)(void *) = plain_body;
    static void *(*const protected)(void *) = protected_body;
    static double (*const all)(void) = mapped;
    static double (*const allocated)(void) = heap;
    static double (*const touched)(void) = resident;
    const measure_t measures[] = {
        {"attach", "plain", lifetimes, &plain},
        {"attach", "wasmtrap", lifetimes, &protected},
        {"attach.bytes", "mapped", bytes_each, &all},
        {"attach.bytes", "heap", bytes_each, &allocated},
        {"attach.bytes", "resident", bytes_each, &touched},
    };
    return worker_serve(measures, sizeof measures / sizeof *measures);
}
