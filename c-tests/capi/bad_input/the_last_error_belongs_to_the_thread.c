/* wasmtrap_last_error is the thread's own, survives calls that succeed, and is replaced by the next failure. */
#include <pthread.h>
#include <string.h>

#include "host.h"

static void *fail_elsewhere(void *unused) {
  same_text(wasmtrap_last_error(), "", "a new thread has no error");
  same(wasmtrap_code_unregister(999), WASMTRAP_ERR_UNKNOWN_ID, "it makes one");
  contains(wasmtrap_last_error(), "999", "which is its own");
  return unused;
}

int main(void) {
  same_text(wasmtrap_last_error(), "", "no error yet");
  host_init();
  same_text(wasmtrap_last_error(), "", "success makes none");
  same(wasmtrap_backend(NULL), WASMTRAP_ERR_INVALID_ARGUMENT, "a call fails");
  char first[512];
  strncpy(first, wasmtrap_last_error(), sizeof first - 1);
  first[sizeof first - 1] = 0;
  contains(first, "backend", "and says why");
  ok(library_traps(), "calls that succeed");
  same_text(wasmtrap_last_error(), first, "leave it alone");
  pthread_t thread;
  must(pthread_create(&thread, NULL, fail_elsewhere, NULL) == 0);
  must(pthread_join(thread, NULL) == 0);
  same_text(wasmtrap_last_error(), first, "and so does another thread's failure");
  same(wasmtrap_code_unregister(4711), WASMTRAP_ERR_UNKNOWN_ID, "another failure");
  contains(wasmtrap_last_error(), "4711", "replaces it");
  ok(strchr(wasmtrap_last_error(), '\n') == NULL, "it is one line");
  return tap_done();
}
