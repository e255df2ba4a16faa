/*
 * <signal.h> with what programs of the harness name of POSIX. There are no signals: SIGSEGV and so on stand for the
 * exceptions that Windows has in their place (host_windows.c), and nothing installs a handler for them.
 */
#ifndef WINDOWS_SIGNAL_H
#define WINDOWS_SIGNAL_H

#include_next <signal.h>

#define SIGTRAP 5
#define SIGBUS 7
#define SIGKILL 9
#define SIGUSR1 10
#define SIGSTOP 19
/* The codes tell nothing here, but must be told apart. */
enum { SEGV_MAPERR = 1, SEGV_ACCERR = 2, BUS_ADRALN = 1, BUS_ADRERR = 2 };
enum { FPE_INTDIV = 1, FPE_INTOVF = 2, FPE_FLTDIV = 3 };
enum { SA_SIGINFO = 4, SA_ONSTACK = 0x08000000 };

typedef struct siginfo_t {
  int si_signo, si_code;
  void *si_addr;
} siginfo_t;

/* No program that runs here has a member of it set. */
struct sigaction {
  void (*sa_handler)(int);
};

#endif
