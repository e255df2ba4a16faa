/*
 * What of handlers.h there is on Windows: the handler that mends, as a vectored one in front of all; and whether there
 * are more vectored handlers than at the program's start, when there may be one of winpthreads'. The entry that a new
 * one gets is in a ring of all of them (src/outside/vectored/ list.rs).
 */
#include "handlers.h"

#include <windows.h>

#include "memory.h"
#include "tap.h"

static LONG WINAPI passes_on(EXCEPTION_POINTERS *exception) {
  (void)exception;
  return EXCEPTION_CONTINUE_SEARCH;
}

static unsigned count_handlers(void) {
  struct link {
    struct link *next, *before;
  } *const entry = AddVectoredExceptionHandler(1, passes_on);
  must(entry != NULL && entry->next->before == entry && entry->before->next == entry);
  unsigned count = 0;
  for (struct link *other = entry->next; other != entry; other = other->next) count++;
  must(RemoveVectoredExceptionHandler(entry) != 0);
  return count;
}

static unsigned at_start;
__attribute__((constructor)) static void look(void) { at_start = count_handlers(); }

volatile int mending_calls;

void mending_handler(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  mending_calls++;
  make_accessible(info->si_addr);
}

static LONG WINAPI mends(EXCEPTION_POINTERS *exception) {
  EXCEPTION_RECORD *const record = exception->ExceptionRecord;
  if (record->ExceptionCode != EXCEPTION_ACCESS_VIOLATION) return EXCEPTION_CONTINUE_SEARCH;
  siginfo_t info = {.si_signo = SIGSEGV, .si_addr = (void *)record->ExceptionInformation[1]};
  mending_handler(SIGSEGV, &info, exception->ContextRecord);
  return EXCEPTION_CONTINUE_EXECUTION;
}

struct sigaction install_handler(int signal, signal_handler_t handler, int flags) {
  (void)flags;
  must(signal == SIGSEGV && handler == mending_handler && AddVectoredExceptionHandler(1, mends) != NULL);
  return (struct sigaction){SIG_DFL};
}

int on_alternate_stack(void (*function)(void)) {
  (void)function;
  return 0;
}

static void handled(int signal) { (void)signal; }

struct sigaction disposition_of(int signal) {
  (void)signal;
  const struct sigaction disposition = {count_handlers() == at_start ? SIG_DFL : handled};
  return disposition;
}
