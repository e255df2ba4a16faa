/* The calls for adoption refuse what they cannot do, by name and value, and change nothing. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "fake_engine.h"
#include "handlers.h"
#include "host.h"
#include "process.h"
#include "refusal.h"

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
  refused(wasmtrap_adopt_end(2, &id), WASMTRAP_ERR_INVALID_ARGUMENT, "flags", "0x2", "an unknown flag");
  refused(wasmtrap_adopt_end(0, NULL), WASMTRAP_ERR_INVALID_ARGUMENT, "id", "NULL", "no output");
  refused(wasmtrap_adopt_release(0), WASMTRAP_ERR_UNKNOWN_ID, "id 0", NULL, "release of nothing");
  refused(wasmtrap_adopt_release(77), WASMTRAP_ERR_UNKNOWN_ID, "id 77", NULL, "release of an unknown id");
  refused(wasmtrap_adopted_enter(77, &id), WASMTRAP_ERR_UNKNOWN_ID, "id 77", NULL, "enter with an unknown id");
  ok(untouched(&id, sizeof id), "the outputs are untouched");

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
  const wasmtrap_status_t nothing = wasmtrap_adopt_end(0, &id);
  same(nothing, WASMTRAP_ERR_NOT_FOUND, "end when nothing was installed");
  contains(wasmtrap_last_error(), "no handler of SIGSEGV", "which is said");
  ok(untouched(&id, sizeof id), "the output is untouched");
  uint32_t displaced = 1;
  must(wasmtrap_check(&displaced) == WASMTRAP_OK);
  same(displaced, 0, "the library is in front");
  ok(library_traps(), "and has its traps");
  remember_state();
  refused(wasmtrap_adopt_end(0, &id), WASMTRAP_ERR_NOT_FOUND, "wasmtrap_adopt_begin", NULL, "end once more");

  /* None of them has taken a place. */
  for (int i = 0; i < 3 * WASMTRAP_MAX_ADOPTED; i++) {
    must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
    must(wasmtrap_adopt_end(0, &id) == WASMTRAP_ERR_NOT_FOUND);
  }
  engines[0].flags = SA_ONSTACK;
  must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  engine_install(0);
  same(wasmtrap_adopt_end(0, &id), WASMTRAP_OK, "an engine is adopted after all that");
  ok(engine_traps(0) && library_traps(), "and has its traps");
  wasmtrap_code_desc_t desc = {.struct_size = sizeof desc, .start = wasm_load.start, .length = wasm_load.length,
                               .flags = WASMTRAP_CODE_ADOPTED, .fault_kinds = WASMTRAP_FAULT_MEMORY};
  uint64_t range;
  remember_state();
  refused(wasmtrap_code_register(&desc, &range), WASMTRAP_ERR_INVALID_ARGUMENT, "desc->fault_kinds", "0x1",
          "kinds of fault in adopted code");
  desc.fault_kinds = 0;
  desc.flags |= WASMTRAP_CODE_STRICT;
  refused(wasmtrap_code_register(&desc, &range), WASMTRAP_ERR_INVALID_ARGUMENT, "desc->flags", "0x5",
          "strict adopted code");
  const wasmtrap_site_t site = {0, WASMTRAP_CODE_NONE};
  desc.flags = WASMTRAP_CODE_ADOPTED;
  desc.sites = &site;
  desc.site_count = 1;
  refused(wasmtrap_code_register(&desc, &range), WASMTRAP_ERR_INVALID_ARGUMENT, "desc->site_count", "1",
          "trap sites in adopted code");
}

/* What an engine has put in place, or left, that is no handler of its own. */
static void no_handler_of_its_own(void *unused) {
  (void)unused;
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  const struct sigaction ours = disposition_of(SIGILL);
  uint64_t id;
  fill(&id, sizeof id);
  must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  const struct sigaction stand_in = disposition_of(SIGFPE);
  ok(ours.sa_sigaction != stand_in.sa_sigaction, "another function stands in for the library");
  must(signal(SIGSEGV, SIG_DFL) != SIG_ERR && signal(SIGBUS, SIG_IGN) != SIG_ERR);
  must(sigaction(SIGILL, &ours, NULL) == 0 && sigaction(SIGFPE, &stand_in, NULL) == 0);
  must(signal(SIGTRAP, SIG_DFL) != SIG_ERR);
  same(wasmtrap_adopt_end(0, &id), WASMTRAP_ERR_NOT_FOUND, "the default action, none, the library's, a stand-in");
  contains(wasmtrap_last_error(), "no handler of SIGSEGV", "none of them is a handler that was installed");
  ok(untouched(&id, sizeof id), "the output is untouched");
  ok(disposition_of(SIGSEGV).sa_handler == SIG_DFL && disposition_of(SIGBUS).sa_handler == SIG_IGN,
     "what it has put in place stays");
  same(wasmtrap_rearm(), WASMTRAP_OK, "wasmtrap_rearm");
  ok(library_traps(), "the library has its traps");
}

/* A handler that is refused stays as it was installed, and so do the engine's others. */
static void refused_handlers(void *unloaded) {
  install_handler(SIGSEGV, mending_handler, 0);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  uint64_t id;
  fill(&id, sizeof id);
  must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  engines[0].flags = SA_ONSTACK;
  engine_install(0);
  const struct sigaction good = disposition_of(SIGILL);
  struct sigaction bad = good;
  if (unloaded != NULL) {
    /* The code of an object that is gone. */
    void *const gone = mmap(NULL, page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(gone != MAP_FAILED && munmap(gone, page_size()) == 0);
    bad.sa_sigaction = (signal_handler_t)(uintptr_t)gone;
  } else {
    bad.sa_flags |= (int)SA_RESETHAND;
  }
  must(sigaction(SIGILL, &bad, NULL) == 0);
  const wasmtrap_status_t status = wasmtrap_adopt_end(0, &id);
  same(status, unloaded != NULL ? WASMTRAP_ERR_INVALID_ARGUMENT : WASMTRAP_ERR_UNSUPPORTED, "wasmtrap_adopt_end");
  contains(wasmtrap_last_error(), "SIGILL", "the signal is named");
  contains(wasmtrap_last_error(), unloaded != NULL ? "unloaded" : "SA_RESETHAND", "and what is wrong with it");
  ok(untouched(&id, sizeof id), "the output is untouched");
  ok(engine_is_in_place(0, SIGSEGV), "the engine's handlers stay");
  const struct sigaction now = disposition_of(SIGILL);
  ok(now.sa_sigaction == bad.sa_sigaction, "that one, too");
  ok(engine_traps(0) && library_traps(), "both have their traps");
  wasm_access_t access = {address_of(inaccessible_page()), 1};
  wasm_load.function(&access);
  same(mending_calls, 1, "what is declined goes to who was there before");
  must(sigaction(SIGILL, &good, NULL) == 0);
  ok(engine_uninstall(0), "the engine takes its handlers away");
  must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  engine_install(0);
  same(wasmtrap_adopt_end(0, &id), WASMTRAP_OK, "and can be adopted with good ones");
  ok(engine_traps(0) && library_traps(), "both have their traps");
}

static void hosts_signals(void *unused) {
  (void)unused;
  const wasmtrap_options_t options = {.struct_size = sizeof options, .backend = WASMTRAP_BACKEND_SIGNALS,
                                      .flags = WASMTRAP_INIT_HOST_OWNS_SIGNALS};
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  remember_state();
  refused(wasmtrap_adopt_begin(0), WASMTRAP_ERR_UNSUPPORTED, "client 0", "WASMTRAP_INIT_HOST_OWNS_SIGNALS",
          "a host that owns the signals");
}

/* As many as can be, and one more. */
static void too_many(void *unused) {
  (void)unused;
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  for (int i = 0; i < WASMTRAP_MAX_ADOPTED; i++) engine_adopt(0, 0, 0);
  remember_state();
  refused(wasmtrap_adopt_begin(0), WASMTRAP_ERR_LIMIT, "8 engines", NULL, "one more than can be adopted");
  ok(library_traps(), "traps are traps");
}

int main(void) {
  child_passes(begin_and_end, NULL, "begin and end");
  child_passes(no_handler_of_its_own, NULL, "an engine that installs no handler of its own");
  child_passes(refused_handlers, NULL, "a handler with SA_RESETHAND");
  int unloaded = 1;
  child_passes(refused_handlers, &unloaded, "a handler in memory that is gone");
  child_passes(hosts_signals, NULL, "a host that owns the signals");
  child_passes(too_many, NULL, "too many");
  return tap_done();
}
