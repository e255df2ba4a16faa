/* What host.c asks of the platform: how Windows reports what Linux has signals for. */
#include <signal.h>

#include "host.h"

static const struct exception_t {
  int signal, signal_code;
  uint32_t number;
  unsigned parameters;
} exceptions[] = {
    {SIGSEGV, SEGV_MAPERR, 0xC0000005, 2},
    {SIGSEGV, SEGV_ACCERR, 0xC0000005, 2},
    {SIGSEGV, ANY_SIGNAL_CODE, 0xC0000005, 2}, /* a general protection fault */
    /* A stack segment fault: a general protection fault like any other to Windows, but not to Wine 8 (TRAP_x86_STKFLT
     * in dlls/ntdll/unix/signal_x86_64.c). */
    {SIGBUS, ANY_SIGNAL_CODE, 0xC00000FD, 0},
    {SIGBUS, BUS_ADRALN, 0x80000002, 0},
    {SIGILL, ANY_SIGNAL_CODE, 0xC000001D, 0},
    {SIGFPE, FPE_INTDIV, 0xC0000094, 0},
    {SIGFPE, FPE_INTOVF, 0xC0000095, 0},
    {SIGFPE, FPE_FLTDIV, 0xC000008E, 2},
    {SIGTRAP, ANY_SIGNAL_CODE, 0x80000003, 1},
};

static const struct exception_t *exception_for(int signal, int code) {
  for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
    if (exceptions[i].signal == signal && exceptions[i].signal_code == code) return &exceptions[i];
  }
  return NULL;
}

int host_reported_by(int signal, int code, const wasmtrap_trap_t *trap, const char *file, int line) {
  const struct exception_t *const exception = exception_for(signal, code);
  const int good = exception != NULL && trap->signal == 0 && trap->signal_code == 0 &&
                   (uint32_t)trap->exception == exception->number &&
                   trap->exception_code_count == exception->parameters &&
                   ((trap->flags & WASMTRAP_HAS_FAULT_ADDRESS) == 0 ||
                    (uint64_t)trap->exception_codes[1] == trap->fault_address);
  tap_check(good, file, line, "the record tells who reported the fault");
  if (!good) {
    tap_note("signal %d, code %d; exception %#x, %u codes: %#llx, %#llx", trap->signal, trap->signal_code,
             (unsigned)trap->exception, trap->exception_code_count, (unsigned long long)trap->exception_codes[0],
             (unsigned long long)trap->exception_codes[1]);
  }
  return good;
}

int host_handler_told_of(int signal, int code, const wasmtrap_fault_t *fault, const char *file, int line) {
  const struct exception_t *const exception = exception_for(signal, code);
  const int good = exception != NULL && fault->signal == 0 && fault->signal_code == 0 &&
                   (uint32_t)fault->exception == exception->number;
  tap_check(good, file, line, "the handler is told who reported the fault");
  if (!good) {
    tap_note("signal %d, code %d; exception %#x", fault->signal, fault->signal_code, (unsigned)fault->exception);
  }
  return good;
}

wasmtrap_access_t if_told(int exception, wasmtrap_access_t access) {
  (void)exception;
  return access;
}
