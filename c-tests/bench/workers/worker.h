/*
 * A contestant of `make bench`, as a program that the driver talks to, so that programs of all kinds can take turns in
 * one run. It is started without arguments, or with those of the driver's table, and talks in lines:
 *
 *     out: measure ROW CONTESTANT            each thing that it can measure
 *     out: absent ROW CONTESTANT REASON      what it cannot measure on this machine
 *     out: ready
 *     in:  ROW CONTESTANT                    measure it once
 *     out: NUMBER                            what came out: nanoseconds an operation, unless the row says otherwise
 *
 * and so on until the end of the input. Nothing else goes to standard output.
 *
 * Invariant: each round of a measure does the same work, after a warm-up of its own, because the other contestants have
 * had the processor since the last one. It lasts less than a millisecond, where it can, so that on a busy machine most
 * rounds are over before the scheduler takes the processor away.
 */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include <stddef.h>

typedef struct {
    const char *row;
    const char *contestant;
    double (*round)(const void *argument);
    const void *argument;
} measure_t;

/* Says what cannot be measured here. Before worker_serve. */
void worker_absent(const char *row, const char *contestant, const char *reason);

/* Answers the driver until it has no more questions. */
int worker_serve(const measure_t *measures, size_t count);

/* Monotonic, in nanoseconds. */
double worker_now(void);

/* Has `work` do something `times` times, after a warm-up; the nanoseconds of each. */
double worker_time(void (*work)(const void *argument, int times), const void *argument, int times);

/* Ends the program if a system call failed. */
void worker_require(int good, const char *what);

#endif
