/* The calls for adoption refuse what they cannot do, by name and value, and change nothing: as on other platforms
 * (c-tests/capi/bad_input), with what is bad of vectored handlers. */
#include <pthread.h>
#include <string.h>
#include <windows.h>

#include "fake_engine.h"
#include "host.h"
#include "process.h"
#include "refusal.h"

static LONG CALLBACK passes(EXCEPTION_POINTERS *exception) {
  (void)exception;
  return EXCEPTION_CONTINUE_SEARCH;
}

static void *ends(void *unused) {
  (void)unused;
  uint64_t id;
  fill(&id, sizeof id);
  remember_state();
  refused(wasmtrap_adopt_end(0, &id), WASMTRAP_ERR_WRONG_THREAD, "has begun on thread", NULL, "another thread's end");
  ok(untouched(&id, sizeof id), "the output is untouched");
  refused(wasmtrap_adopt_begin(0), WASMTRAP_ERR_BUSY, "client 0", "wasmtrap_adopt_end", "another thread's begin");
  return NULL;
}

static void begin_and_end(void *unused) {
  (void)unused;
  uint64_t id;
  fill(&id, sizeof id);
  remember_state();
  refused(wasmtrap_adopt_begin(0), WASMTRAP_ERR_NOT_INITIALIZED, "wasmtrap_init", NULL, "begin before init");
  refused(wasmtrap_adopt_end(0, &id), WASMTRAP_ERR_NOT_INITIALIZED, "wasmtrap_init", NULL, "end before init");
  refused(wasmtrap_adopt_release(1), WASMTRAP_ERR_NOT_INITIALIZED, "wasmtrap_init", NULL, "release before init");
  refused(wasmtrap_adopted_enter(1, &id), WASMTRAP_ERR_NOT_INITIALIZED, "wasmtrap_init", NULL, "enter before init");
  refused(wasmtrap_adopted_leave(0), WASMTRAP_ERR_NOT_INITIALIZED, "wasmtrap_init", NULL, "leave before init");
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  remember_state();
  refused(wasmtrap_adopt_begin(9), WASMTRAP_ERR_UNKNOWN_ID, "client 9", NULL, "begin for no client");
  refused(wasmtrap_adopt_end(0, &id), WASMTRAP_ERR_NOT_FOUND, "wasmtrap_adopt_begin", NULL, "end without begin");
  refused(wasmtrap_adopt_release(77), WASMTRAP_ERR_UNKNOWN_ID, "id 77", NULL, "release of an unknown id");
  refused(wasmtrap_adopted_enter(77, &id), WASMTRAP_ERR_UNKNOWN_ID, "id 77", NULL, "enter with an unknown id");

  must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  remember_state();
  refused(wasmtrap_adopt_begin(0), WASMTRAP_ERR_BUSY, "client 0", "wasmtrap_adopt_end", "begin twice");
  refused(wasmtrap_rearm(), WASMTRAP_ERR_BUSY, "client 0", "wasmtrap_adopt_end", "rearm in between");
  refused(wasmtrap_adopt_release(77), WASMTRAP_ERR_BUSY, "client 0", NULL, "release in between");
  refused(wasmtrap_adopt_end(2, &id), WASMTRAP_ERR_INVALID_ARGUMENT, "flags", "0x2", "an unknown flag");
  refused(wasmtrap_adopt_end(0, NULL), WASMTRAP_ERR_INVALID_ARGUMENT, "id", "NULL", "no output");
  pthread_t thread;
  must(pthread_create(&thread, NULL, ends, NULL) == 0 && pthread_join(thread, NULL) == 0);
  ok(library_traps(), "traps are traps in between");
  remember_state();
  refused(wasmtrap_adopt_end(0, &id), WASMTRAP_ERR_NOT_FOUND, "no vectored exception handler was installed", NULL,
          "end when nothing was installed");
  ok(untouched(&id, sizeof id), "the output is untouched");
  refused(wasmtrap_adopt_end(0, &id), WASMTRAP_ERR_NOT_FOUND, "wasmtrap_adopt_begin", NULL, "end once more");

  /* One that is taken away again is none; and an engine that was there before is not found by a second adoption. */
  must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  engine_install(0);
  must(engine_uninstall(0));
  same(wasmtrap_adopt_end(0, &id), WASMTRAP_ERR_NOT_FOUND, "a handler that has gone by the end");
  for (int i = 0; i < 3 * WASMTRAP_MAX_ADOPTED; i++) {
    must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
    must(wasmtrap_adopt_end(0, &id) == WASMTRAP_ERR_NOT_FOUND);
  }
  engine_adopt(0, 0, 0);
  must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  same(wasmtrap_adopt_end(0, &id), WASMTRAP_ERR_NOT_FOUND, "an engine that is adopted already");
  ok(engine_traps(0) && library_traps(), "it has its traps, and the library its own");
}

static void refused_handlers(void *unused) {
  (void)unused;
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  uint64_t id;
  fill(&id, sizeof id);
  /* The code of a module that is gone. */
  void *const gone = VirtualAlloc(NULL, 1, MEM_RESERVE | MEM_COMMIT, PAGE_EXECUTE_READWRITE);
  static const unsigned char returns_0[] = {0x31, 0xc0, 0xc3};
  must(gone != NULL);
  memcpy(gone, returns_0, sizeof returns_0);
  must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  engine_install(0);
  void *const bad = AddVectoredExceptionHandler(0, (PVECTORED_EXCEPTION_HANDLER)(uintptr_t)gone);
  must(bad != NULL && VirtualFree(gone, 0, MEM_RELEASE) != 0);
  same(wasmtrap_adopt_end(0, &id), WASMTRAP_ERR_INVALID_ARGUMENT, "a handler in memory that is gone");
  contains(wasmtrap_last_error(), "has been unloaded", "which is said");
  ok(untouched(&id, sizeof id), "the output is untouched");
  must(RemoveVectoredExceptionHandler(bad) != 0);
  ok(engine_traps(0) && library_traps(), "the engine has its traps, and the library its own");
  same(wasmtrap_adopt_end(0, &id), WASMTRAP_ERR_NOT_FOUND, "the adoption is over");

  void *many[5];
  must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  for (int i = 0; i < 5; i++) must((many[i] = AddVectoredExceptionHandler(1, passes)) != NULL);
  same(wasmtrap_adopt_end(0, &id), WASMTRAP_ERR_LIMIT, "too many handlers of one engine");
  contains(wasmtrap_last_error(), "5 vectored exception handlers", "which is said");
  for (int i = 0; i < 5; i++) must(RemoveVectoredExceptionHandler(many[i]) != 0);
  must(engine_uninstall(0));
  engine_adopt(0, 0, 0);
  ok(engine_traps(0) && library_traps(), "a good one is adopted after that");

  for (int i = 0; i < 200; i++) must(AddVectoredExceptionHandler(0, passes) != NULL);
  remember_state();
  refused(wasmtrap_adopt_begin(0), WASMTRAP_ERR_LIMIT, "more than 128", NULL, "too many handlers before the engine's");
  ok(engine_traps(0) && library_traps(), "traps are traps");
}

static void hosts_signals(void *unused) {
  (void)unused;
  const wasmtrap_options_t options = {.struct_size = sizeof options, .backend = WASMTRAP_BACKEND_SIGNALS,
                                      .flags = WASMTRAP_INIT_HOST_OWNS_SIGNALS};
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  remember_state();
  refused(wasmtrap_adopt_begin(0), WASMTRAP_ERR_UNSUPPORTED, "client 0", "WASMTRAP_INIT_HOST_OWNS_SIGNALS",
          "a host that owns the handlers");
}

static void too_many(void *unused) {
  (void)unused;
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  uint64_t id = 0;
  for (int i = 0; i < WASMTRAP_MAX_ADOPTED; i++) id = engine_adopt(0, 0, 0);
  remember_state();
  refused(wasmtrap_adopt_begin(0), WASMTRAP_ERR_LIMIT, "8 engines", NULL, "one more than can be adopted");
  ok(library_traps(), "traps are traps");
  must(wasmtrap_adopt_release(id) == WASMTRAP_OK);
  remember_state();
  refused(wasmtrap_adopt_release(id), WASMTRAP_ERR_UNKNOWN_ID, "id ", NULL, "release twice");
  ok(engine_adopt(1, 0, 0) > id, "in the place of one that was released");
  ok(engine_traps(1), "another is adopted");
}

int main(void) {
  child_passes(begin_and_end, NULL, "begin and end");
  child_passes(refused_handlers, NULL, "handlers that are refused");
  child_passes(hosts_signals, NULL, "a host that owns the handlers");
  child_passes(too_many, NULL, "too many");
  return tap_done();
}
