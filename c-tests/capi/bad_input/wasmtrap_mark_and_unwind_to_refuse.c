/* wasmtrap_mark wants a place for the mark; wasmtrap_unwind_to a mark that wasmtrap_mark has written, on this thread,
 * in a protected call that has not ended. */
#include <pthread.h>
#include <string.h>

#include "host.h"
#include "refusal.h"

static wasmtrap_mark_t inner_mark;

static void make_mark(void *mark) { must(wasmtrap_mark(mark) == WASMTRAP_OK); }

static void *on_another_thread(void *mark) {
  remember_state();
  refused(wasmtrap_unwind_to(mark), WASMTRAP_ERR_WRONG_THREAD, "mark", "another thread", "a thread of no mark");
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  remember_state();
  refused(wasmtrap_unwind_to(mark), WASMTRAP_ERR_WRONG_THREAD, "mark", "another thread", "another thread's mark");
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  return NULL;
}

static void bad_marks(void *outer_mark) {
  const wasmtrap_status_t invalid = WASMTRAP_ERR_INVALID_ARGUMENT;
  remember_state();
  refused(wasmtrap_mark(NULL), invalid, "mark", "NULL", "nowhere to put the mark");
  refused(wasmtrap_unwind_to(NULL), invalid, "mark", "NULL", "no mark");
  wasmtrap_mark_t mark;
  memset(&mark, 0, sizeof mark);
  refused(wasmtrap_unwind_to(&mark), invalid, "mark", NULL, "a mark that is all zero");
  must(wasmtrap_mark(&mark) == WASMTRAP_OK);
  for (size_t i = 0; i < sizeof mark.words / sizeof *mark.words; i++) {
    wasmtrap_mark_t other = mark;
    other.words[i] ^= UINT64_C(1) << i * 7;
    refused(wasmtrap_unwind_to(&other), invalid, "mark", NULL, "a mark with one bit changed");
  }
  remember_state();
  must(wasmtrap_call(make_mark, &inner_mark, NULL) == WASMTRAP_OK);
  refused(wasmtrap_unwind_to(&inner_mark), invalid, "mark", "protected call", "a mark of a call that has returned");
  pthread_t thread;
  must(pthread_create(&thread, NULL, on_another_thread, outer_mark) == 0);
  must(pthread_join(thread, NULL) == 0);
  remember_state();

  wasmtrap_chain_t *chain = NULL;
  must(wasmtrap_chain_detach(&chain) == WASMTRAP_OK);
  refused(wasmtrap_unwind_to(&mark), invalid, "mark", NULL, "a mark of a call that is on no thread");
  must(wasmtrap_chain_attach(chain, NULL) == WASMTRAP_OK);
  same(wasmtrap_unwind_to(&mark), WASMTRAP_OK, "attached again, it is good");
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
}

int main(void) {
  wasmtrap_mark_t mark;
  memset(&mark, 0, sizeof mark);
  refused(wasmtrap_mark(&mark), WASMTRAP_ERR_NOT_INITIALIZED, NULL, NULL, "before wasmtrap_init");
  refused(wasmtrap_unwind_to(&mark), WASMTRAP_ERR_NOT_INITIALIZED, NULL, NULL, "before wasmtrap_init");
  host_init();
  host_register_code(&wasm_load);
  must(wasmtrap_mark(&mark) == WASMTRAP_OK);
  wasmtrap_trap_t trap = host_new_trap();
  trapped_with(wasmtrap_call(bad_marks, &mark, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "the call is still there, and traps");
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  remember_state();
  refused(wasmtrap_unwind_to(&mark), WASMTRAP_ERR_WRONG_THREAD, "mark", "detached", "a mark from before the detaching");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "nothing is left");
  return tap_done();
}
