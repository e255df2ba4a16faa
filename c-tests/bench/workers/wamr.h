/*
 * WAMR's interpreter as a contestant: one program on its own handler, and one on the library. What differs is who has
 * WAMR's calls of sigaction, sigaltstack and pthread_sigmask (adapters/wamr).
 */
#ifndef BENCH_WAMR_H
#define BENCH_WAMR_H

/* Of the program. */
extern const char contestant[];
void set_up(void);

#endif
