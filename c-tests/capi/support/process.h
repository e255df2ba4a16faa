/*
 * Crash cases, each in a process of its own: a forked child runs a function, and the parent looks at how it ended.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*child_function_t)(void *argument);

/* One check: the child's own checks (tap.h) all held, and it came to its end. */
int child_passes(child_function_t function, void *argument, const char *name);
/* One check: the signal ended the child, whose own checks had all held until then. */
int child_dies_of(int signal, child_function_t function, void *argument, const char *name);
/* Two checks: the signal ended the child, and a core dump would show the program counter `pc` and a fault of the
 * kernel's making. A parent that traces the child sees both; an emulator without ptrace makes the second a skip. */
int child_dies_at(int signal, size_t pc, child_function_t function, void *argument, const char *name);

/* One check, as child_dies_of; what the child writes to its standard error goes to `text`, with a NUL. Returns 0 where
 * there is nothing to look at: this is a child itself (Windows, where each runs the program as far as its own turn). */
int child_dies_saying(int signal, child_function_t function, void *argument, char *text, size_t size,
                      const char *name);

pid_t child_start(child_function_t function, void *argument);
/* The same for one that is expected to die: what an emulator has to say of that goes nowhere. */
pid_t child_start_to_die(child_function_t function, void *argument);
/* What waitpid has to say of a child that is over. */
int child_wait(pid_t child);
/* The same as words, in a static buffer. */
const char *child_end_in_words(int wait_status);
/* Returns once another process sleeps in a system call. */
void wait_until_asleep(pid_t process);

#ifdef __cplusplus
}
#endif

#endif
