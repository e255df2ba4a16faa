/* Two users in one process that know nothing of clients, nor of each other, call wasmtrap_init and wasmtrap_shutdown:
 * one's end leaves the other's set-up, ranges and fault handler alone, and the last one's end is the end of all. One
 * does not displace the other's fault handler unnoticed. */
#include <signal.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static wasmtrap_verdict_t trap_with_user(wasmtrap_fault_t *fault, void *user) {
  fault->trap_code = WASMTRAP_CODE_USER + (wasmtrap_code_t)(uintptr_t)user;
  return WASMTRAP_VERDICT_TRAP;
}

static wasmtrap_verdict_t forward(wasmtrap_fault_t *fault, void *user) {
  (void)fault, (void)user;
  return WASMTRAP_VERDICT_FORWARD;
}

static void *number(uintptr_t value) { return (void *)value; }

static void traps_with(wasmtrap_code_t code, const char *what) {
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_unreachable, NULL, &trap), &trap, code, what);
}

static void the_end_of_one_leaves_the_other(void *unused) {
  (void)unused;
  host_init();
  host_register_code(&wasm_unreachable);
  for (int round = 0; round < 3; round++) {
    same(wasmtrap_init(NULL), WASMTRAP_OK, "another user comes");
    same(wasmtrap_shutdown(), WASMTRAP_OK, "and goes");
    traps_with(WASMTRAP_CODE_UNREACHABLE, "the first one's code");
  }
  must(wasmtrap_init(NULL) == WASMTRAP_OK && wasmtrap_init(NULL) == WASMTRAP_OK);
  same(wasmtrap_shutdown(), WASMTRAP_OK, "the first one goes");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "the second");
  traps_with(WASMTRAP_CODE_UNREACHABLE, "what any of them registered is there");
  ok(disposition_of(SIGILL).sa_handler != SIG_DFL, "its handlers stay");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "and the last");
  ok(disposition_of(SIGILL).sa_handler == SIG_DFL, "the signal is as it was before them");
  same(wasmtrap_shutdown(), WASMTRAP_ERR_NOT_INITIALIZED, "no more of them");
}

static void what_is_refused_does_not_count(void *unused) {
  (void)unused;
  host_init();
  wasmtrap_options_t options = {.struct_size = sizeof options, .fault_kinds = WASMTRAP_FAULT_MEMORY};
  same(wasmtrap_init(&options), WASMTRAP_ERR_CONFLICT, "other options are refused");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "the only user goes");
  same(wasmtrap_shutdown(), WASMTRAP_ERR_NOT_INITIALIZED, "and was the last");
  same(wasmtrap_init(&options), WASMTRAP_OK, "other options now");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "and their end");
  same(wasmtrap_shutdown(), WASMTRAP_ERR_NOT_INITIALIZED, "the count begins anew each time");
}

static void nested(void *unused) {
  (void)unused;
  same(wasmtrap_init(NULL), WASMTRAP_OK, "another user comes inside of a protected call");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "and goes there, for it is not the last");
  same(wasmtrap_shutdown(), WASMTRAP_ERR_BUSY, "the last one may not");
}

static void only_the_last_one_waits_for_calls(void *unused) {
  (void)unused;
  host_init();
  same(wasmtrap_call(nested, NULL, NULL), WASMTRAP_OK, "the call");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "after a refusal the last one is still counted");
}

static void a_handler_is_not_displaced(void *unused) {
  (void)unused;
  host_init();
  must(wasmtrap_set_fault_handler(trap_with_user, number(1)) == WASMTRAP_OK);
  same(wasmtrap_set_fault_handler(trap_with_user, number(2)), WASMTRAP_OK, "a single user's handler is replaced");
  traps_with(WASMTRAP_CODE_USER + 2, "by the new one");
  must(wasmtrap_init(NULL) == WASMTRAP_OK);
  same(wasmtrap_set_fault_handler(forward, NULL), WASMTRAP_ERR_CONFLICT, "another user's handler");
  contains(wasmtrap_last_error(), "wasmtrap_client_open", "the sentence says what there is for it");
  same(wasmtrap_client_set_fault_handler(WASMTRAP_CLIENT_DEFAULT, trap_with_user, number(3), 0), WASMTRAP_ERR_CONFLICT,
       "another user pointer by the other call");
  traps_with(WASMTRAP_CODE_USER + 2, "the handler is still asked");
  same(wasmtrap_set_fault_handler(trap_with_user, number(2)), WASMTRAP_OK, "the same one may be set again");
  traps_with(WASMTRAP_CODE_USER + 2, "and is asked");
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  traps_with(WASMTRAP_CODE_USER + 2, "after the other user's end as well");
  same(wasmtrap_set_fault_handler(trap_with_user, number(4)), WASMTRAP_OK, "who is alone replaces it again");
  must(wasmtrap_init(NULL) == WASMTRAP_OK);
  same(wasmtrap_set_fault_handler(NULL, NULL), WASMTRAP_OK, "taking it away is said, and done");
  same(wasmtrap_set_fault_handler(trap_with_user, number(5)), WASMTRAP_OK, "the place is free");
  traps_with(WASMTRAP_CODE_USER + 5, "for who comes next");

  /* What the sentence advises. */
  const wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = "its own"};
  wasmtrap_client_t client = 0;
  must(wasmtrap_client_open(&desc, &client) == WASMTRAP_OK);
  same(wasmtrap_client_set_fault_handler(client, trap_with_user, number(6), WASMTRAP_HANDLER_ANY_FAULT), WASMTRAP_OK,
       "a client has a handler of its own");
  traps_with(WASMTRAP_CODE_USER + 5, "and who came first is asked first");
}

int main(void) {
  child_passes(the_end_of_one_leaves_the_other, NULL, "the end of one user");
  child_passes(what_is_refused_does_not_count, NULL, "a refusal");
  child_passes(only_the_last_one_waits_for_calls, NULL, "a user inside of a protected call");
  child_passes(a_handler_is_not_displaced, NULL, "the fault handler");
  return tap_done();
}
