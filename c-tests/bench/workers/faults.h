/*
 * The ways to fault, as machine code that is the same for all contestants in C.
 *
 * A fault's function leaves nothing on the stack and nothing in callee-saved registers that it has changed, and
 * `resume` is where it goes on as if nothing had been the matter: what a handler that returns needs.
 */
#ifndef BENCH_FAULTS_H
#define BENCH_FAULTS_H

typedef struct {
    const char *row;
    int signal;
    /* NULL where the processor has no such fault. */
    void (*function)(void *address);
    const char *start;
    const char *resume;
    const char *end;
} fault_t;

enum { FAULT_MEMORY, FAULT_UNREACHABLE, FAULT_DIVISION, FAULT_OVERFLOW, FAULT_KINDS };
extern const fault_t faults[FAULT_KINDS];

/* Memory that cannot be accessed: what the functions are called with. */
enum { INACCESSIBLE_SIZE = 65536 };
void *inaccessible_memory(void);

/* Gives the program a main stack so small that running over its end costs less than the fault. Before threads. */
void limit_the_stack(void);

#endif
