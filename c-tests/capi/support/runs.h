/* Runs that other threads interrupt: the set-up of the tests of interruption. */
#ifndef RUNS_H
#define RUNS_H

#include <pthread.h>
#include <signal.h>

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A signal that nobody else in these programs uses. macOS has no real-time signals, Windows has no signals: there the
 * library interrupts threads without one. */
#define RUNS_BY_SIGNAL 1
#if defined(_WIN32)
#undef RUNS_BY_SIGNAL
#define RUNS_BY_SIGNAL 0
#define RUNS_SIGNAL 0
#elif defined(SIGRTMIN)
#define RUNS_SIGNAL (SIGRTMIN + 5)
#else
#define RUNS_SIGNAL SIGUSR2
#endif

/* wasmtrap_init with that signal. */
void runs_init(void);
wasmtrap_run_t run_open(void);

/* A run on a thread of its own. */
typedef struct running_t {
  /* In. */
  wasmtrap_function_t function;
  void *argument;
  /* Out. */
  wasmtrap_run_t run;
  pthread_t thread;
  wasmtrap_status_t status;
  wasmtrap_trap_t trap;
  uintptr_t frames[8];
} running_t;

/* Opens a run and has a thread call it. */
void running_start(running_t *running);
/* Waits for its end, and closes it. */
void running_join(running_t *running);

/* Waits until another thread has set a word to a value, and sets one. */
void wait_for(const uint64_t *word, uint64_t value);
void tell(uint64_t *word, uint64_t value);

/* One check: the run came to an end by that interrupt. */
int interrupted_with(wasmtrap_status_t status, const wasmtrap_trap_t *trap, wasmtrap_code_t code, uint64_t payload,
                     const char *name);

#ifdef __cplusplus
}
#endif

#endif
