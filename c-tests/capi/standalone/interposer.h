/*
 * A sigaction that stands before libc's, in an object of its own, as what is preloaded does. A "virtual machine" has
 * its handler in the kernel, and shows faults that it does not know to whom others have installed: as with Java's
 * libjsig, which keeps what they install to itself. Or nobody else may install anything, as with AddressSanitizer's
 * handle_segv=2.
 */
#ifndef INTERPOSER_H
#define INTERPOSER_H

#include <signal.h>

/* The machine starts: its handler goes to the kernel, and who was there before is kept as one to ask. */
void machine_starts(int signal, int exclusive);
/* What its handler does with a fault that nobody knows, in place of a report of its own: ends the process with this. */
enum { MACHINE_REPORTS = 42 };
void machine_handler(int signal, siginfo_t *info, void *context);
/* Whom it asks. */
struct sigaction machine_keeps(int signal);

#endif
