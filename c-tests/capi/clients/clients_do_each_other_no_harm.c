/* Each client has its own ranges, regions, kinds of fault and fault handler; the end of one takes what is its own and
 * leaves the others', and the last one's end is the end of the set-up. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static wasmtrap_client_t open_client(const char *name, const wasmtrap_options_t *options) {
  const wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = name, .options = options};
  wasmtrap_client_t client = 0;
  must(wasmtrap_client_open(&desc, &client) == WASMTRAP_OK);
  must(client != WASMTRAP_CLIENT_DEFAULT);
  return client;
}

static wasmtrap_client_t open_with_kinds(const char *name, uint32_t kinds) {
  const wasmtrap_options_t options = {.struct_size = sizeof options, .fault_kinds = kinds};
  return open_client(name, &options);
}

static uint64_t register_for(wasmtrap_client_t client, const wasm_code_t *code, uint32_t kinds) {
  const wasmtrap_code_desc_t desc = {.struct_size = sizeof desc, .start = code->start, .length = code->length,
                                     .client = client, .fault_kinds = kinds};
  uint64_t id = 0;
  must(wasmtrap_code_register(&desc, &id) == WASMTRAP_OK);
  return id;
}

static wasmtrap_status_t unreachable(const wasm_code_t *code) {
  wasmtrap_trap_t trap;
  return host_call(code, NULL, &trap);
}

static int is_registered(const wasm_code_t *code) {
  wasmtrap_code_info_t info = {.struct_size = sizeof info};
  return wasmtrap_code_lookup(code->start, &info) == WASMTRAP_OK;
}

static int has_region(const void *address, const wasm_code_t *load) {
  wasmtrap_trap_t trap;
  return host_load(load, address, &trap) == WASMTRAP_TRAPPED && (trap.flags & WASMTRAP_HAS_REGION) != 0;
}

static void the_end_of_one_takes_what_is_its_own(void *unused) {
  (void)unused;
  const wasmtrap_client_t one = open_client("one", NULL), other = open_client("other", NULL);
  host_init();
  const wasm_code_t code[] = {wasm_compile(&wasm_unreachable), wasm_compile(&wasm_unreachable),
                              wasm_compile(&wasm_unreachable)};
  const uint64_t first = register_for(one, &code[0], 0);
  register_for(other, &code[1], 0);
  register_for(WASMTRAP_CLIENT_DEFAULT, &code[2], 0);
  host_register_code(&wasm_load);
  void *const pages[] = {inaccessible_page(), inaccessible_page()};
  uint64_t region = 0;
  const wasmtrap_region_desc_t regions[] = {
      {.struct_size = sizeof regions[0], .base = pages[0], .length = page_size(), .client = one},
      {.struct_size = sizeof regions[0], .base = pages[1], .length = page_size(), .client = other}};
  must(wasmtrap_region_register(&regions[0], &region) == WASMTRAP_OK);
  must(wasmtrap_region_register(&regions[1], &region) == WASMTRAP_OK);
  ok(has_region(pages[0], &wasm_load) && has_region(pages[1], &wasm_load), "two regions");

  same(wasmtrap_client_close(one), WASMTRAP_OK, "the first client goes");
  ok(!is_registered(&code[0]), "its code is no longer registered");
  same(wasmtrap_code_unregister(first), WASMTRAP_ERR_UNKNOWN_ID, "its id is unknown");
  ok(is_registered(&code[1]) && is_registered(&code[2]), "the others' code is");
  ok(!has_region(pages[0], &wasm_load), "its region has gone");
  ok(has_region(pages[1], &wasm_load), "the other's has not");
  same(unreachable(&code[1]), WASMTRAP_TRAPPED, "the other's code traps");
  same(unreachable(&code[2]), WASMTRAP_TRAPPED, "the default client's as well");

  same(wasmtrap_shutdown(), WASMTRAP_OK, "the default client goes");
  ok(!is_registered(&code[2]) && is_registered(&code[1]), "with its code, and no other");
  same(unreachable(&code[1]), WASMTRAP_TRAPPED, "the last one's traps");
  same(wasmtrap_shutdown(), WASMTRAP_ERR_NOT_INITIALIZED, "the default client cannot go twice");

  const struct sigaction before = disposition_of(SIGSEGV);
  must(before.sa_handler != SIG_DFL);
  same(wasmtrap_client_close(other), WASMTRAP_OK, "the last one goes");
  wasmtrap_backend_t backend = 0;
  same(wasmtrap_backend(&backend), WASMTRAP_ERR_NOT_INITIALIZED, "nothing is set up");
  ok(disposition_of(SIGSEGV).sa_handler == SIG_DFL, "the signal is as it was before the first client");
}

static void kinds_are_joined(void *unused) {
  (void)unused;
  const wasmtrap_client_t memory = open_with_kinds("memory", WASMTRAP_FAULT_MEMORY);
  const wasm_code_t code[] = {wasm_compile(&wasm_unreachable), wasm_compile(&wasm_unreachable)};
  register_for(memory, &code[0], 0);
  ok(disposition_of(SIGILL).sa_handler == SIG_DFL, "nobody takes illegal instructions");
  const wasmtrap_client_t all = open_with_kinds("all", WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ILLEGAL);
  register_for(all, &code[1], 0);
  ok(disposition_of(SIGILL).sa_handler != SIG_DFL, "now the library does");
  ok(disposition_of(SIGFPE).sa_handler == SIG_DFL && disposition_of(SIGTRAP).sa_handler == SIG_DFL,
     "but no kind that nobody has asked for");
  same(unreachable(&code[1]), WASMTRAP_TRAPPED, "the client that asked for them has its traps");
  must(wasmtrap_client_close(all) == WASMTRAP_OK);
  ok(disposition_of(SIGILL).sa_handler == SIG_DFL, "when it has gone, nobody does");
  ok(disposition_of(SIGSEGV).sa_handler != SIG_DFL, "what the other takes is still taken");
}

static void kinds_are_joined_where_the_host_owns_the_signals(void *unused) {
  (void)unused;
  wasmtrap_options_t options = {.struct_size = sizeof options, .flags = WASMTRAP_INIT_HOST_OWNS_SIGNALS,
                                .backend = WASMTRAP_BACKEND_SIGNALS, .fault_kinds = WASMTRAP_FAULT_MEMORY};
  open_client("memory", &options);
  options.fault_kinds |= WASMTRAP_FAULT_ILLEGAL;
  open_client("more", &options);
  ok(disposition_of(SIGSEGV).sa_handler == SIG_DFL && disposition_of(SIGILL).sa_handler == SIG_DFL,
     "no handler is installed, whatever who comes later takes");
}

static void a_kind_that_the_client_does_not_take(void *unused) {
  (void)unused;
  const wasmtrap_client_t memory = open_with_kinds("memory", WASMTRAP_FAULT_MEMORY);
  open_with_kinds("all", 0);
  register_for(memory, &wasm_unreachable, 0);
  unreachable(&wasm_unreachable);
}

static void a_kind_that_the_range_does_not_take(void *unused) {
  (void)unused;
  host_init();
  register_for(WASMTRAP_CLIENT_DEFAULT, &wasm_unreachable, WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ARITHMETIC);
  unreachable(&wasm_unreachable);
}

static void a_range_takes_what_it_asks_for(void *unused) {
  (void)unused;
  host_init();
  register_for(WASMTRAP_CLIENT_DEFAULT, &wasm_load, WASMTRAP_FAULT_MEMORY);
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, inaccessible_page(), &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "memory");
}

static wasmtrap_verdict_t trap_with_user(wasmtrap_fault_t *fault, void *user) {
  fault->trap_code = WASMTRAP_CODE_USER + (wasmtrap_code_t)(uintptr_t)user;
  return WASMTRAP_VERDICT_TRAP;
}

static int asked;
static wasmtrap_verdict_t forward(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  asked = 10 * asked + (int)(uintptr_t)user;
  return WASMTRAP_VERDICT_FORWARD;
}

static void *number(uintptr_t value) { return (void *)value; }

static void a_handler_is_asked_about_its_clients_faults(void *unused) {
  (void)unused;
  const wasmtrap_client_t one = open_client("one", NULL), other = open_client("other", NULL);
  const wasm_code_t code[] = {wasm_compile(&wasm_unreachable), wasm_compile(&wasm_unreachable),
                              wasm_compile(&wasm_unreachable)};
  register_for(one, &code[0], 0);
  register_for(other, &code[1], 0);
  must(wasmtrap_client_set_fault_handler(one, trap_with_user, number(1), 0) == WASMTRAP_OK);
  must(wasmtrap_client_set_fault_handler(other, forward, number(2), WASMTRAP_HANDLER_ANY_FAULT) == WASMTRAP_OK);
  wasmtrap_trap_t trap;
  trapped_with(host_call(&code[0], NULL, &trap), &trap, WASMTRAP_CODE_USER + 1, "the first client's code");
  same(asked, 0, "the other's handler was not asked about it");
  trapped_with(host_call(&code[1], NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "the other's code");
  same(asked, 2, "its handler was asked, and left it to the tables");

  /* A third client's handler, and code that is nobody's. */
  const wasmtrap_client_t third = open_client("third", NULL);
  must(wasmtrap_client_set_fault_handler(third, trap_with_user, number(3), WASMTRAP_HANDLER_ANY_FAULT) == WASMTRAP_OK);
  asked = 0;
  trapped_with(host_call(&code[2], NULL, &trap), &trap, WASMTRAP_CODE_USER + 3, "nobody's code");
  same(asked, 2, "the one that came first was asked first");
  trapped_with(host_call(&code[1], NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "code that is a trap by the tables");

  const wasm_code_t plain = wasm_compile(&wasm_unreachable);
  register_for(open_client("fourth", NULL), &plain, 0);
  asked = 0;
  trapped_with(host_call(&plain, NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "of a client without a handler");
  same(asked, 0, "nobody else is asked about that");

  /* A handler goes with its client, and one that is set again stands at the end. */
  must(wasmtrap_client_set_fault_handler(other, forward, number(4), WASMTRAP_HANDLER_ANY_FAULT) == WASMTRAP_OK);
  asked = 0;
  trapped_with(host_call(&code[2], NULL, &trap), &trap, WASMTRAP_CODE_USER + 3, "nobody's code");
  same(asked, 0, "the one that was set again comes last");
  must(wasmtrap_client_close(one) == WASMTRAP_OK);
  must(wasmtrap_client_set_fault_handler(third, NULL, NULL, 0) == WASMTRAP_OK);
  must(wasmtrap_client_close(other) == WASMTRAP_OK);
  must(wasmtrap_client_set_fault_handler(third, trap_with_user, number(5), WASMTRAP_HANDLER_ANY_FAULT) == WASMTRAP_OK);
  for (size_t index = 0; index < 3; index++) {
    trapped_with(host_call(&code[index], NULL, &trap), &trap, WASMTRAP_CODE_USER + 5, "what is nobody's now");
  }
}

static void a_handler_is_not_asked_about_others(void *unused) {
  (void)unused;
  const wasmtrap_client_t one = open_client("one", NULL);
  must(wasmtrap_client_set_fault_handler(one, trap_with_user, number(1), 0) == WASMTRAP_OK);
  unreachable(&wasm_unreachable);
}

static void a_region_makes_a_fault_its_clients(void *unused) {
  (void)unused;
  const wasmtrap_client_t one = open_client("one", NULL);
  must(wasmtrap_client_set_fault_handler(one, trap_with_user, number(6), 0) == WASMTRAP_OK);
  void *const page = inaccessible_page();
  const wasmtrap_region_desc_t desc = {.struct_size = sizeof desc, .base = page, .length = page_size(), .client = one};
  uint64_t region = 0;
  must(wasmtrap_region_register(&desc, &region) == WASMTRAP_OK);
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_USER + 6, "code that is not registered");
}

static void options_are_met_or_refused_by_name(void *unused) {
  (void)unused;
  /* Who runs this may have set it, and it overrides what is asked for below. */
  must(unsetenv("WASMTRAP_BACKEND") == 0);
  wasmtrap_options_t options = {.struct_size = sizeof options, .backend = WASMTRAP_BACKEND_SIGNALS};
  open_client("the first engine", &options);
  host_init();
  options.backend = WASMTRAP_BACKEND_AUTO;
  options.alternate_stack_size = 1 << 20;
  open_client("second", &options);
  const wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = "third engine", .options = &options};
  wasmtrap_client_t client = 77;
  options.flags = WASMTRAP_INIT_HOST_OWNS_SIGNALS;
  same(wasmtrap_client_open(&desc, &client), WASMTRAP_ERR_CONFLICT, "another owner of the signals is refused");
  contains(wasmtrap_last_error(), "the first engine", "the sentence names who came first");
  contains(wasmtrap_last_error(), "third engine", "and who asks");
  contains(wasmtrap_last_error(), "the owner of the signal handlers", "and the option");
  options.flags = 0;
  options.backend = WASMTRAP_BACKEND_MACH_PORTS;
  same(wasmtrap_client_open(&desc, &client), WASMTRAP_ERR_CONFLICT, "another backend is refused");
  contains(wasmtrap_last_error(), "the backend is " HOST_SIGNALS_NAME " for the whole process", "with a sentence");
  same(client, 77, "nothing is written");
  options.flags = WASMTRAP_INIT_ALLOW_FALLBACK;
  same(wasmtrap_client_open(&desc, &client), WASMTRAP_OK, "unless a fallback is allowed");
  char *const text = described();
  contains(text, "client 1: the first engine\n", "the description names the clients");
  contains(text, "client 3: third engine\n", "each");
}

int main(void) {
  child_passes(the_end_of_one_takes_what_is_its_own, NULL, "the end of a client");
  child_passes(kinds_are_joined, NULL, "kinds of fault");
  child_passes(kinds_are_joined_where_the_host_owns_the_signals, NULL, "kinds of fault, the host's signals");
  child_dies_at(SIGILL, wasm_fault_pc(&wasm_unreachable), a_kind_that_the_client_does_not_take, NULL,
                "a kind that another client takes");
  child_dies_at(SIGILL, wasm_fault_pc(&wasm_unreachable), a_kind_that_the_range_does_not_take, NULL,
                "a kind that the range does not take");
  child_passes(a_range_takes_what_it_asks_for, NULL, "a kind that it takes");
  child_passes(a_handler_is_asked_about_its_clients_faults, NULL, "fault handlers");
  child_dies_at(SIGILL, wasm_fault_pc(&wasm_unreachable), a_handler_is_not_asked_about_others, NULL,
                "a fault handler that is asked about its own faults only");
  child_passes(a_region_makes_a_fault_its_clients, NULL, "a region's client");
  child_passes(options_are_met_or_refused_by_name, NULL, "options");
  return tap_done();
}
