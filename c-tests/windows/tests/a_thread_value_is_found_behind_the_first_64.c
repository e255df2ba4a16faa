/* Where a process has used up the slots that a thread has in its own block, the library's are in the array behind,
 * which a thread need not have: traps are traps all the same, on each thread, and foreign threads' faults are
 * forwarded. */
#include <pthread.h>
#include <windows.h>

#include "host.h"

static volatile int forwarded;

static LONG WINAPI mends(EXCEPTION_POINTERS *exception) {
  if (exception->ExceptionRecord->ExceptionCode != EXCEPTION_ACCESS_VIOLATION) return EXCEPTION_CONTINUE_SEARCH;
  forwarded++;
  make_accessible((void *)exception->ExceptionRecord->ExceptionInformation[1]);
  return EXCEPTION_CONTINUE_EXECUTION;
}

/* A thread of the system's own, which has set no value. */
static DWORD WINAPI foreign(void *page) {
  wasm_access_t access = {address_of(page), 0};
  wasm_load.function(&access);
  return 0;
}

static void *traps(void *unused) {
  for (int i = 0; i < 3; i++) ok(library_traps(), "a trap on a thread");
  return unused;
}

int main(void) {
  unsigned taken = 0;
  while (taken < 100 && TlsAlloc() != TLS_OUT_OF_INDEXES) taken++;
  host_init();
  ok(library_traps(), "a trap");
  pthread_t thread;
  must(pthread_create(&thread, NULL, traps, NULL) == 0 && pthread_join(thread, NULL) == 0);
  host_register_code(&wasm_load);
  must(AddVectoredExceptionHandler(0, mends) != NULL);
  const HANDLE other = CreateThread(NULL, 0, foreign, inaccessible_page(), 0, NULL);
  must(WaitForSingleObject(other, INFINITE) == WAIT_OBJECT_0);
  same(forwarded, 1, "a fault of a foreign thread goes to the next handler");
  ok(library_traps(), "a trap");
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "detached");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "shutdown");
  return tap_done();
}
