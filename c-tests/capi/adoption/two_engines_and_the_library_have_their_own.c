/* Several adopted engines in one process: each is offered its own faults, by what the host has said of them, and what
 * is nobody's in the order in which they were adopted; nobody is asked about what is another client's. */
#include <signal.h>
#include <stdlib.h>

#include "fake_engine.h"
#include "handlers.h"
#include "host.h"

static uint64_t adopt(int number, wasmtrap_client_t client, uint32_t flags) {
  engines[number].flags = SA_ONSTACK;
  return engine_adopt(number, client, flags);
}

static wasmtrap_client_t open_client(const char *name) {
  const wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = name};
  wasmtrap_client_t client = 0;
  must(wasmtrap_client_open(&desc, &client) == WASMTRAP_OK);
  return client;
}

static uint64_t register_adopted(const wasm_code_t *code, wasmtrap_client_t client) {
  wasmtrap_code_desc_t desc = {.struct_size = sizeof desc, .start = code->start, .length = code->length,
                               .flags = WASMTRAP_CODE_ADOPTED, .client = client};
  uint64_t id = 0;
  must(wasmtrap_code_register(&desc, &id) == WASMTRAP_OK);
  return id;
}

static int calls[ENGINES];

static void count_from_here(void) {
  for (int i = 0; i < ENGINES; i++) calls[i] = engines[i].calls;
}

static int calls_since(int engine) { return engines[engine].calls - calls[engine]; }

/* Code of an engine that is run inside of a protected call of another user's: not that one's trap. */
static int trapped_inside;

static void traps_inside(void *unused) {
  (void)unused;
  trapped_inside = engine_traps(1);
}

int main(void) {
  host_init();
  const wasmtrap_client_t first = open_client("the first engine"), second = open_client("the second engine");
  const uint64_t ids[] = {adopt(0, first, 0), adopt(1, second, 0)};
  ok(ids[0] != 0 && ids[1] > ids[0], "ids ascend");

  count_from_here();
  ok(engine_traps(0), "a fault of the first engine's");
  same(calls_since(1), 0, "the second one is not asked");
  count_from_here();
  ok(engine_traps(1), "a fault of the second one's");
  same(calls_since(0), 1, "the first one is asked before, where nobody has said whose code it is");

  const uint64_t range = register_adopted(&engines[1].codes[0], second);
  count_from_here();
  ok(engine_traps(1), "a fault in code that is known to be the second one's");
  same(calls_since(0), 0, "the first one is not asked");
  wasmtrap_trap_t trap = host_new_trap();
  same(wasmtrap_call(traps_inside, NULL, &trap), WASMTRAP_OK, "inside of a protected call it is no trap of that");
  ok(trapped_inside, "but the engine's");
  must(wasmtrap_code_unregister(range) == WASMTRAP_OK);

  uint64_t before = 77;
  same(wasmtrap_adopted_enter(ids[1], &before), WASMTRAP_OK, "wasmtrap_adopted_enter");
  same(before, 0, "nobody's before");
  count_from_here();
  ok(engine_traps(1), "a fault of the second one's on a thread that is marked as its");
  same(calls_since(0), 0, "the first one is not asked");
  uint64_t inner = 0;
  same(wasmtrap_adopted_enter(ids[0], &inner), WASMTRAP_OK, "a mark inside");
  same(inner, ids[1], "the second one's before");
  count_from_here();
  ok(engine_traps(0), "a fault of the first one's there");
  same(calls_since(1), 0, "the second one is not asked");
  same(wasmtrap_adopted_leave(inner), WASMTRAP_OK, "wasmtrap_adopted_leave");
  count_from_here();
  ok(engine_traps(0), "an unmarked call of the first one, from inside of the second one");
  same(calls_since(1), 1, "which is asked before");
  ok(library_traps(), "a trap of the library's");
  same(wasmtrap_adopted_leave(before), WASMTRAP_OK, "the outer mark ends");

  count_from_here();
  ok(library_traps(), "a trap of the library's");
  same(calls_since(0) + calls_since(1), 0, "no engine is asked");

  /* Code of the default client's that is not under protection: a crash of that client's. */
  install_handler(SIGSEGV, mending_handler, 0);
  must(wasmtrap_rearm() == WASMTRAP_OK);
  const uint64_t code = host_register_code(&wasm_load);
  wasm_access_t access = {address_of(inaccessible_page()), 1};
  count_from_here();
  wasm_load.function(&access);
  same(calls_since(0) + calls_since(1), 0, "no engine is asked about another client's code");
  same(mending_calls, 1, "it goes to who is below");
  must(wasmtrap_code_unregister(code) == WASMTRAP_OK);

  const uint64_t third = adopt(2, first, WASMTRAP_ADOPT_OWN_FAULTS);
  access.address = address_of(inaccessible_page());
  count_from_here();
  wasm_load.function(&access);
  same(calls_since(0) + calls_since(1), 2, "about nobody's fault those are asked that want to be");
  same(calls_since(2), 0, "and not one that has said otherwise");
  same(mending_calls, 2, "it goes to who is below");
  engine_compile(2, &wasm_load);
  register_adopted(&engines[2].codes[0], first);
  count_from_here();
  ok(engine_traps(2), "which has its own");
  same(calls_since(0), 1, "after one of the same client's that was adopted before");
  same(calls_since(1), 0, "and no other");
  char *const description = described();
  contains(description, "adopted engine", "wasmtrap_describe has them");
#ifndef _WIN32
  contains(description, "handlers of 4 signals", "and what they have handlers for");
#endif
  free(description);
  same(wasmtrap_adopt_release(third), WASMTRAP_OK, "wasmtrap_adopt_release");
  return tap_done();
}
