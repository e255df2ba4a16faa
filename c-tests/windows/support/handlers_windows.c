/*
 * What of handlers.h there is on Windows: whether there are more vectored handlers than at the program's start, when
 * there may be one of winpthreads'. The entry that a new one gets is in a ring of all of them (src/outside/vectored/
 * list.rs).
 */
#include "handlers.h"

#include <windows.h>

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

static void handled(int signal) { (void)signal; }

struct sigaction disposition_of(int signal) {
  (void)signal;
  const struct sigaction disposition = {count_handlers() == at_start ? SIG_DFL : handled};
  return disposition;
}
