/*
 * A peer in C: another way to survive a fault. It brings peer_call; the loops around it are the same for all.
 *
 * peer_call stands in a file of its own, so that it is called as the library's wasmtrap_call is, and never inlined.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

/* Calls function(argument) under protection; not 0 if it trapped. */
int peer_call(void (*function)(void *), void *argument);

typedef struct {
    void (*function)(void *);
    void *argument;
    /* How often a round makes it happen. */
    int times;
} trap_t;

enum { TRAPS = 400, FEWER_TRAPS = 150, RAISES = 2000, CALLS = 40000 };

/* Rounds of a measure. The argument is a trap_t: a function that traps, or one that returns. */
double peer_traps(const void *trap);
double peer_calls(const void *call);

/* For peer_calls. */
void return_at_once(void *argument);

#endif
