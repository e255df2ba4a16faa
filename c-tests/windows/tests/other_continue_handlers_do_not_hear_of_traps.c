/* Once a vectored handler has had a thread go on, Windows asks the vectored continue handlers, one after the other,
 * until one says that it does. Go's last one ends the process about all that is not Go's: so the library's says it,
 * about its own traps and what its fault handler mends, and about nothing else.
 *
 * Wine 8 keeps the list of continue handlers and asks none of them, so that this program does, as Windows is described
 * (AddVectoredContinueHandler in Microsoft's reference): a handler in front of all others goes through both lists. */
#include <string.h>
#include <windows.h>

#include "host.h"

typedef LONG(WINAPI *handler_t)(EXCEPTION_POINTERS *exception);
enum { MOST = 16, WORDS = 8 };

static volatile int last_asked, host_mends;
static void *page;

static LONG WINAPI passes_on(EXCEPTION_POINTERS *exception) {
  (void)exception;
  return EXCEPTION_CONTINUE_SEARCH;
}

/* As Go's: it would end the process. */
static LONG WINAPI last_continue_handler(EXCEPTION_POINTERS *exception) {
  (void)exception;
  last_asked++;
  return EXCEPTION_CONTINUE_SEARCH;
}

/* A host's own handler, behind all others. */
static LONG WINAPI mends(EXCEPTION_POINTERS *exception) {
  (void)exception;
  if (!host_mends) return EXCEPTION_CONTINUE_SEARCH;
  make_accessible(page);
  return EXCEPTION_CONTINUE_EXECUTION;
}

/* The handlers of the list that this entry is in, in their order; `known` is its own. Entries are rings with an encoded
 * pointer; the head, which has none, is in ntdll. */
static int handlers_of(void **entry, handler_t known, handler_t handlers[MOST]) {
  int word = 2, count = 0;
  while (word < WORDS && (uintptr_t)DecodePointer(entry[word]) != (uintptr_t)known) word++;
  must(word < WORDS);
  MEMORY_BASIC_INFORMATION memory;
  void **at = entry;
  do {
    at = *at;
    must(VirtualQuery(at, &memory, sizeof memory) != 0);
    if (memory.AllocationBase == (void *)GetModuleHandleA("ntdll.dll")) break;
  } while (at != entry);
  for (void **const head = at; (at = *at) != head && count < MOST;) {
    handlers[count++] = (handler_t)(uintptr_t)DecodePointer(at[word]);
  }
  return count;
}

static int in_dispatch, continue_handlers;

/* In front of all others: what Windows does. */
static LONG WINAPI dispatches(EXCEPTION_POINTERS *exception) {
  if (in_dispatch || exception->ExceptionRecord->ExceptionCode != EXCEPTION_ACCESS_VIOLATION) {
    return EXCEPTION_CONTINUE_SEARCH;
  }
  in_dispatch = 1;
  handler_t handlers[MOST];
  LONG answer = EXCEPTION_CONTINUE_SEARCH;
  void **probe = AddVectoredExceptionHandler(0, passes_on);
  int count = handlers_of(probe, passes_on, handlers);
  RemoveVectoredExceptionHandler(probe);
  for (int i = 0; i < count && answer == EXCEPTION_CONTINUE_SEARCH; i++) {
    if (handlers[i] != dispatches) answer = handlers[i](exception);
  }
  if (answer == EXCEPTION_CONTINUE_EXECUTION) {
    probe = AddVectoredContinueHandler(0, passes_on);
    count = handlers_of(probe, passes_on, handlers);
    RemoveVectoredContinueHandler(probe);
    continue_handlers = count - 1;
    LONG ends = EXCEPTION_CONTINUE_SEARCH;
    for (int i = 0; i < count && ends == EXCEPTION_CONTINUE_SEARCH; i++) ends = handlers[i](exception);
  }
  in_dispatch = 0;
  return answer;
}

static wasmtrap_verdict_t mends_by_the_library(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  make_accessible((void *)(uintptr_t)fault->fault_address);
  return WASMTRAP_VERDICT_RESUME;
}

static void load_page(void) { (void)*(volatile unsigned char *)page; }

static void the_host_mends(int asked, const char *what) {
  host_mends = 1;
  page = inaccessible_page();
  last_asked = 0;
  load_page();
  same(last_asked, asked, "%s", what);
  host_mends = 0;
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  must(AddVectoredContinueHandler(0, last_continue_handler) != NULL);
  must(AddVectoredExceptionHandler(0, mends) != NULL);
  void *front = AddVectoredExceptionHandler(1, dispatches);
  must(front != NULL);

  for (int round = 0; round < 2; round++) {
    wasmtrap_trap_t trap = host_new_trap();
    last_asked = 0;
    page = inaccessible_page();
    trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a trap");
    same(last_asked, 0, "of which the last continue handler does not hear");
    same(continue_handlers, 2, "the library's, which is there once, has ended the search");
    the_host_mends(1, "of what another handler mends it hears");
    must(wasmtrap_set_fault_handler(mends_by_the_library, NULL) == WASMTRAP_OK);
    page = inaccessible_page();
    last_asked = 0;
    load_page();
    same(last_asked, 0, "of what the library's fault handler mends it does not");
    must(wasmtrap_set_fault_handler(NULL, NULL) == WASMTRAP_OK);
    the_host_mends(1, "of what another handler mends next it does");

    must(wasmtrap_rearm() == WASMTRAP_OK);
    must(RemoveVectoredExceptionHandler(front) != 0);
    front = AddVectoredExceptionHandler(1, dispatches);
    must(front != NULL);
  }
  same(wasmtrap_shutdown(), WASMTRAP_OK, "shutdown");
  the_host_mends(1, "without the library it hears of all");
  same(continue_handlers, 1, "and is the only one");
  return tap_done();
}
