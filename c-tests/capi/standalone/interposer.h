/*
 * A sigaction that stands before libc's, in an object of its own, as what is preloaded does. A "virtual machine" has
 * its handler in the kernel, and shows faults that it does not know to whom others have installed: as with Java's
 * libjsig, which keeps what they install to itself. Or nobody else may install anything, as with AddressSanitizer's
 * handle_segv=2. Or the kernel gets it as well. Where no machine has started, all goes on to libc, and is noted.
 */
#ifndef INTERPOSER_H
#define INTERPOSER_H

#include <signal.h>

typedef enum machine_t {
  /* What it is given is kept from the kernel. */
  MACHINE_KEEPS,
  /* It is given nothing. */
  MACHINE_EXCLUSIVE,
  /* The kernel has what it was given last, in place of its own handler. */
  MACHINE_HANDS_ON
} machine_t;

/* The machine starts: its handler goes to the kernel, and who was there before is kept as one to ask. */
void machine_starts(int signal, machine_t kind);
/* The handler that sigaction was given last, by whomever. */
void (*handler_given(int signal))(int, siginfo_t *, void *);
/* From now on no change of this signal is possible; 0: of all again. */
void machine_refuses(int signal);
/* What its handler does with a fault that nobody knows, in place of a report of its own: ends the process with this. */
enum { MACHINE_REPORTS = 42 };
void machine_handler(int signal, siginfo_t *info, void *context);
/* Whom it asks. */
struct sigaction machine_keeps(int signal);

#endif
