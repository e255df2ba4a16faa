/* wasmtrap_adopt_release, the end of the client and wasmtrap_shutdown give an engine its signals back: its handlers are
 * installed as it has installed them, work as without the library, and can be taken away as always. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake_engine.h"
#include "handlers.h"
#include "host.h"
#include "process.h"

static uint64_t adopt(int number, wasmtrap_client_t client) {
  engines[number].flags = SA_ONSTACK;
  return engine_adopt(number, client, 0);
}

static uint32_t displaced(void) {
  uint32_t kinds = UINT32_MAX;
  must(wasmtrap_check(&kinds) == WASMTRAP_OK);
  return kinds;
}

/* More rounds than there are places. */
static void released(void *unused) {
  (void)unused;
  install_handler(SIGSEGV, mending_handler, 0);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  for (int round = 0; round < 3 * WASMTRAP_MAX_ADOPTED; round++) {
    const uint64_t id = adopt(0, WASMTRAP_CLIENT_DEFAULT);
    int good = engine_traps(0) && library_traps() && !engine_is_in_place(0, SIGSEGV);
    good &= wasmtrap_adopt_release(id) == WASMTRAP_OK;
    good &= engine_is_in_place(0, SIGSEGV) && engine_is_in_place(0, SIGFPE) && displaced() != 0;
    good &= disposition_of(SIGSEGV).sa_flags == (disposition_of(SIGSEGV).sa_flags | SA_SIGINFO | SA_ONSTACK);
    good &= engine_traps(0) && library_traps();
    wasm_access_t access = {address_of(inaccessible_page()), 1};
    wasm_load.function(&access);
    good &= mending_calls == 2 * round + 1;
    good &= wasmtrap_adopt_release(id) == WASMTRAP_ERR_UNKNOWN_ID;
    good &= engine_uninstall(0) && displaced() == 0;
    good &= library_traps();
    access.address = address_of(inaccessible_page());
    wasm_load.function(&access);
    good &= mending_calls == 2 * round + 2;
    if (round % 2 == 0) good &= wasmtrap_rearm() == WASMTRAP_OK && displaced() == 0 && library_traps();
    if (!ok(good, "round %d", round)) return;
    if (mending_calls > 40) mending_calls = 2 * round + 2;
  }
}

/* Two, one after the other, each of which takes its handlers away. */
static void two(void *unused) {
  (void)unused;
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  const struct sigaction ours = disposition_of(SIGSEGV);
  const uint64_t first = adopt(0, 0), second = adopt(1, 0);
  for (int i = 0; i < 2; i++) {
    same(wasmtrap_adopt_release(i == 0 ? first : second), WASMTRAP_OK, "engine %d is released", i);
    ok((i == 1 || engine_traps(0)) && engine_traps(1) && library_traps(), "all that are there have their traps");
    ok(engine_uninstall(i), "it takes its handlers away");
    if (i == 0) ok(engine_traps(1), "the other one has its traps");
    ok(library_traps(), "and the library");
  }
  same(wasmtrap_rearm(), WASMTRAP_OK, "wasmtrap_rearm");
  const struct sigaction now = disposition_of(SIGSEGV);
  ok(same_disposition(&ours, &now), "the library is in place as before");
}

static volatile int newer_calls;

static void newer_handler(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  newer_calls++;
  make_accessible(info->si_addr);
}

/* A fault of nobody's. */
static void crash(void) {
  wasm_access_t access = {address_of(inaccessible_page()), 1};
  wasm_load.function(&access);
}

/* Its earlier handler is what was there when it was released, not when it was adopted. */
static void over_a_newer_handler(void *unused) {
  (void)unused;
  install_handler(SIGSEGV, mending_handler, 0);
  host_init_with_signals();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  adopt(0, 0);
  const uint64_t second = adopt(1, 0);
  install_handler(SIGSEGV, newer_handler, SA_ONSTACK);
  same(wasmtrap_adopt_release(second), WASMTRAP_OK, "the second one is released, over a newer handler");
  ok(engine_traps(1), "it has its traps");
  const int calls = engines[1].calls;
  crash();
  ok(engines[1].calls == calls + 1 && newer_calls == 1, "what it declines goes to the newer handler");
  same(mending_calls, 0, "and who is underneath that one is its own affair");
  ok(engine_uninstall(1), "it takes its handlers away");
  same(displaced(), WASMTRAP_FAULT_MEMORY, "the library is in front but for the newer handler");
  char goes_to[128];
  snprintf(goes_to, sizeof goes_to, "SIGSEGV: ours; what is not a trap goes to %#zx", (size_t)(uintptr_t)newer_handler);
  char *const description = described();
  contains(description, goes_to, "which the description has");
  free(description);
  crash();
  same(newer_calls, 2, "and which has the crashes");
  same(wasmtrap_rearm(), WASMTRAP_OK, "wasmtrap_rearm");
  ok(displaced() == 0 && engine_traps(0) && library_traps(), "the library is in front, and so is the first engine");
  crash();
  ok(newer_calls == 3 && mending_calls == 0, "a crash goes to the newer handler");
}

/* As long as it remembers the stand-in, no other engine gets that. */
static void still_installed(void *unused) {
  (void)unused;
  install_handler(SIGSEGV, mending_handler, 0);
  host_init_with_signals();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  same(wasmtrap_adopt_release(adopt(0, 0)), WASMTRAP_OK, "the first one is released, and stays installed");
  adopt(1, 0);
  const int calls[] = {engines[0].calls, engines[1].calls};
  crash();
  same(engines[0].calls, calls[0] + 1, "the first one is asked about a crash once");
  ok(engines[1].calls > calls[1], "... and the second one, too");
  same(mending_calls, 1, "then who was there before");
  ok(engine_traps(0) && engine_traps(1) && library_traps(), "all have their traps");
}

/* It has given up a single signal: put back what it has found, over which somebody else had come. */
static void one_signal_less(void *unused) {
  (void)unused;
  host_init_with_signals();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  const uint64_t id = adopt(0, 0);
  install_handler(SIGSEGV, newer_handler, SA_ONSTACK);
  same(wasmtrap_adopt_release(id), WASMTRAP_OK, "it is released, over a newer handler");
  must(sigaction(SIGSEGV, &engines[0].earlier[SIGSEGV], NULL) == 0);
  ok((displaced() & WASMTRAP_FAULT_MEMORY) != 0, "that one is in front now");
  same(wasmtrap_rearm(), WASMTRAP_OK, "wasmtrap_rearm");
  same(displaced(), 0, "the library is in front");
  ok(library_traps(), "and has its traps");
  same(newer_calls, 0, "of which the newer handler does not hear");
  crash();
  same(newer_calls, 1, "it has the crashes");
}

/* It gives up all of them when the library is gone, and that comes again. */
static void after_the_shutdown(void *unused) {
  (void)unused;
  host_init_with_signals();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  adopt(0, 0);
  install_handler(SIGSEGV, newer_handler, SA_ONSTACK);
  same(wasmtrap_shutdown(), WASMTRAP_OK, "wasmtrap_shutdown");
  ok(engine_uninstall(0), "the engine takes its handlers away");
  crash();
  same(newer_calls, 1, "the newer handler has the crashes");
  host_init_with_signals();
  same(displaced(), 0, "wasmtrap_init goes on top of it");
  ok(library_traps(), "the library has its traps");
  same(newer_calls, 1, "of which the newer handler does not hear");
}

static void client_closed(void *unused) {
  (void)unused;
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  const wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = "engine"};
  wasmtrap_client_t client;
  must(wasmtrap_client_open(&desc, &client) == WASMTRAP_OK);
  const uint64_t id = adopt(0, client);
  adopt(1, 0);
  same(wasmtrap_client_close(client), WASMTRAP_OK, "wasmtrap_client_close");
  ok(engine_is_in_place(0, SIGSEGV), "its engine's handlers are in place");
  same(wasmtrap_adopt_release(id), WASMTRAP_ERR_UNKNOWN_ID, "its id is no more");
  ok(engine_traps(0) && engine_traps(1) && library_traps(), "all have their traps");
  ok(engine_uninstall(0), "it takes its handlers away");
  ok(engine_traps(1) && library_traps(), "the others have theirs");
}

static void shut_down(void *begun) {
  install_handler(SIGSEGV, mending_handler, 0);
  const struct sigaction first = disposition_of(SIGSEGV);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  const int only_begun = begun != NULL;
  if (only_begun) {
    must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
    same(wasmtrap_shutdown(), WASMTRAP_OK, "wasmtrap_shutdown between begin and end");
    const struct sigaction now = disposition_of(SIGSEGV);
    ok(same_disposition(&first, &now), "what was there is there again");
    host_init();
  }
  adopt(0, 0);
  same(wasmtrap_shutdown(), WASMTRAP_OK, "wasmtrap_shutdown");
  ok(engine_is_in_place(0, SIGSEGV), "the engine's handlers are in place");
  ok(engine_traps(0), "and take its traps");
  wasm_access_t access = {address_of(inaccessible_page()), 1};
  wasm_load.function(&access);
  same(mending_calls, 1, "what it declines goes to who was there before");
  host_init();
  ok(engine_traps(0) && library_traps(), "set up again, both have their traps");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "wasmtrap_shutdown");
  ok(engine_is_in_place(0, SIGSEGV) && engine_uninstall(0), "the engine takes its handlers away");
  access.address = address_of(inaccessible_page());
  wasm_load.function(&access);
  same(mending_calls, 2, "faults go to who was there before");
}

int main(void) {
  child_passes(released, NULL, "released again and again");
  child_passes(two, NULL, "two engines");
  child_passes(over_a_newer_handler, NULL, "over a newer handler");
  child_passes(still_installed, NULL, "one that stays, and another engine");
  child_passes(one_signal_less, NULL, "a signal that is given up");
  child_passes(after_the_shutdown, NULL, "all of them, after the shutdown");
  child_passes(client_closed, NULL, "the client's end");
  int begun = 1;
  child_passes(shut_down, NULL, "shutdown");
  child_passes(shut_down, &begun, "shutdown, once between begin and end");
  return tap_done();
}
