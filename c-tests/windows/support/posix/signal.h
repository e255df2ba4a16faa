/*
 * <signal.h> with what programs of the harness name of POSIX. There are no signals: SIGSEGV and so on stand for the
 * exceptions that Windows has in their place (host_windows.c, handlers_windows.c).
 */
#ifndef WINDOWS_SIGNAL_H
#define WINDOWS_SIGNAL_H

#include_next <signal.h>

#define SIGTRAP 5
#define SIGBUS 7
#define SIGKILL 9
#define SIGUSR1 10
#define SIGUSR2 12
#define SIGSTOP 19
/* The codes tell nothing here, but must be told apart. */
enum { SEGV_MAPERR = 1, SEGV_ACCERR = 2, BUS_ADRALN = 1, BUS_ADRERR = 2 };
enum { FPE_INTDIV = 1, FPE_INTOVF = 2, FPE_FLTDIV = 3 };
enum { SI_USER = 0 };
enum { SA_SIGINFO = 4, SA_ONSTACK = 0x08000000, SA_RESTART = 0x10000000, SA_NODEFER = 0x40000000 };

typedef struct siginfo_t {
  int si_signo, si_code;
  void *si_addr;
} siginfo_t;

/* No program that runs here has a member of it set. */
struct sigaction {
  void (*sa_handler)(int);
};

/* As a process sends itself a signal, it raises the exception that stands for it (handlers_windows.c). */
#ifdef __cplusplus
extern "C"
#endif
int raise_exception(int signal);
#define raise(signal) raise_exception(signal)

#endif
