/*
 * handlers.h for Windows, as far as it goes there: a handler is a vectored one, whose signal and siginfo_t are made of
 * the exception. A disposition says whether there are more vectored handlers than at the program's start, when there
 * may be one of winpthreads', and whether the library takes that kind of fault. The entry that a new one gets is in a
 * ring of all of them (src/outside/vectored/list.rs).
 */
#include "handlers.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <windows.h>

#include "host.h"
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

volatile int mending_calls, passing_calls;

/* A handler is a vectored one, in front of those that are there: what it passes on comes to them. */
enum { MOST_HANDLERS = 16 };
static struct installed_t {
  int signal;
  signal_handler_t handler;
} installed[MOST_HANDLERS];
static unsigned handler_count;

static __thread int raising, has_passed_on;

static int signal_for(DWORD code) {
  switch (code) {
    case EXCEPTION_ACCESS_VIOLATION:
    case EXCEPTION_STACK_OVERFLOW:
      return SIGSEGV;
    case EXCEPTION_IN_PAGE_ERROR:
      return SIGBUS;
    case EXCEPTION_ILLEGAL_INSTRUCTION:
      return SIGILL;
    case EXCEPTION_INT_DIVIDE_BY_ZERO:
    case EXCEPTION_INT_OVERFLOW:
    case EXCEPTION_FLT_DIVIDE_BY_ZERO:
      return SIGFPE;
    case EXCEPTION_BREAKPOINT:
      return SIGTRAP;
    default:
      return 0;
  }
}

static LONG deliver(const struct installed_t *to, EXCEPTION_POINTERS *exception) {
  EXCEPTION_RECORD *const record = exception->ExceptionRecord;
  const int signal = signal_for(record->ExceptionCode);
  if (signal != to->signal) return EXCEPTION_CONTINUE_SEARCH;
  const int is_access = record->NumberParameters >= 2;
  siginfo_t info = {signal, raising ? SI_USER : SEGV_ACCERR,
                    is_access ? (void *)record->ExceptionInformation[1] : record->ExceptionAddress};
  has_passed_on = 0;
  to->handler(signal, &info, exception->ContextRecord);
  const int declined = has_passed_on;
  has_passed_on = 0;
  return declined ? EXCEPTION_CONTINUE_SEARCH : EXCEPTION_CONTINUE_EXECUTION;
}

#define DELIVER(number) \
  static LONG WINAPI deliver_##number(EXCEPTION_POINTERS *exception) { return deliver(&installed[number], exception); }
DELIVER(0)
DELIVER(1)
DELIVER(2)
DELIVER(3)
DELIVER(4)
DELIVER(5)
DELIVER(6)
DELIVER(7)
DELIVER(8)
DELIVER(9)
DELIVER(10)
DELIVER(11)
DELIVER(12)
DELIVER(13)
DELIVER(14)
DELIVER(15)
static const PVECTORED_EXCEPTION_HANDLER delivering[MOST_HANDLERS] = {
    deliver_0, deliver_1, deliver_2,  deliver_3,  deliver_4,  deliver_5,  deliver_6,  deliver_7,
    deliver_8, deliver_9, deliver_10, deliver_11, deliver_12, deliver_13, deliver_14, deliver_15};

struct sigaction install_handler(int signal, signal_handler_t handler, int flags) {
  (void)flags;
  must(handler_count < MOST_HANDLERS);
  installed[handler_count].signal = signal;
  installed[handler_count].handler = handler;
  must(AddVectoredExceptionHandler(1, delivering[handler_count]) != NULL);
  handler_count++;
  return (struct sigaction){SIG_DFL};
}

void pass_on(const struct sigaction *previous, int signal, siginfo_t *info, void *context) {
  (void)previous;
  (void)signal;
  (void)info;
  (void)context;
  has_passed_on = 1;
}

int is_fault(const siginfo_t *info, void *context) {
  (void)context;
  return info->si_code > 0;
}

enum { ENDLESS = 100 };

void mending_handler(int signal, siginfo_t *info, void *context) {
  (void)signal;
  if (++mending_calls > ENDLESS) _exit(20);
  if (is_fault(info, context)) make_accessible(info->si_addr);
}

void passing_handler(int signal, siginfo_t *info, void *context) {
  if (++passing_calls > ENDLESS) _exit(21);
  pass_on(NULL, signal, info, context);
}

void install_passing_handler(int signal, int flags) { install_handler(signal, passing_handler, flags); }

/* As RaiseException does on Windows 10, which says in the record that software has raised it. Wine 8 says nothing. */
static void raise_as_software(DWORD code) {
  static void(WINAPI * raise_record)(EXCEPTION_RECORD *);
  if (raise_record == NULL) {
    const FARPROC found = GetProcAddress(GetModuleHandleA("ntdll.dll"), "RtlRaiseException");
    must(found != NULL);
    memcpy(&raise_record, &found, sizeof raise_record);
  }
  EXCEPTION_RECORD record;
  memset(&record, 0, sizeof record);
  record.ExceptionCode = code;
  record.ExceptionFlags = 0x80; /* EXCEPTION_SOFTWARE_ORIGINATE */
  raising = 1;
  raise_record(&record);
  raising = 0;
}

int raise_exception(int signal) {
  static const struct {
    int signal;
    DWORD code;
  } codes[] = {{SIGSEGV, EXCEPTION_ACCESS_VIOLATION},
               {SIGBUS, EXCEPTION_IN_PAGE_ERROR},
               {SIGILL, EXCEPTION_ILLEGAL_INSTRUCTION},
               {SIGFPE, EXCEPTION_INT_DIVIDE_BY_ZERO},
               {SIGTRAP, EXCEPTION_BREAKPOINT}};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    if (codes[i].signal != signal) continue;
    raise_as_software(codes[i].code);
    return 0;
  }
  /* No exception stands for it: its handler is called. */
  for (unsigned i = handler_count; i-- != 0;) {
    if (installed[i].signal != signal) continue;
    siginfo_t info = {signal, SI_USER, NULL};
    installed[i].handler(signal, &info, NULL);
    return 0;
  }
  return (raise)(signal);
}

int run_on_alternate_stack(void (*function)(void)) {
  (void)function;
  return 0;
}

static void handled(int signal) { (void)signal; }

/* The handler is there for all kinds at once. Which of them it takes, the library says. */
static int is_taken(int signal) {
  static const struct {
    int signal;
    const char *kind;
  } kinds[] = {{SIGSEGV, " memory;"},     {SIGBUS, " memory;"},     {SIGILL, " illegal instruction;"},
               {SIGFPE, " arithmetic;"}, {SIGTRAP, " breakpoint;"}};
  char *const text = described();
  char *const line = strstr(text, "faults taken:");
  must(line != NULL);
  *strchr(line, '\n') = 0;
  int found = 0;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    found |= kinds[i].signal == signal && strstr(line, kinds[i].kind) != NULL;
  }
  free(text);
  return found;
}

struct sigaction disposition_of(int signal) {
  if (count_handlers() == at_start || !is_taken(signal)) return (struct sigaction){SIG_DFL};
  return (struct sigaction){handled};
}
