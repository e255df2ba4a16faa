/* In a thread that blocks all signals, as servers with signalfd do, faults are traps as anywhere: attaching lifts the
 * block of the fault signals that are taken, and of no other; detaching puts it back. With
 * WASMTRAP_INIT_KEEP_SIGNAL_MASK the mask is the host's affair. wasmtrap_check and wasmtrap_describe tell what is
 * blocked now. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "process.h"

static int is_blocked(int signal) {
  sigset_t now;
  must(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
  return sigismember(&now, signal) == 1;
}

static void block_all(void) {
  sigset_t all;
  sigfillset(&all);
  must(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
}

static uint32_t blocked_kinds(void) {
  uint32_t found = 0;
  must(wasmtrap_check(&found) == WASMTRAP_OK);
  return found >> WASMTRAP_CHECK_BLOCKED_SHIFT & HOST_ALL_KINDS;
}

static int description_contains(const char *words) {
  char *const text = described();
  const int found = strstr(text, words) != NULL;
  free(text);
  return found;
}

static void trap_of_each_kind(void) {
  wasmtrap_trap_t trap;
  wasm_access_t access = {0, 0};
  ok(library_traps(), "a memory fault is a trap");
  trapped_with(host_call(&wasm_unreachable, &access, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "unreachable");
#if defined(__x86_64__)
  access.address = 1;
  trapped_with(host_call(&wasm_divide, &access, &trap), &trap, WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO, "by zero");
#endif
  access.value = 0;
  trapped_with(host_call(&wasm_recurse, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, "an overflow");
}

static const uint32_t taken = WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ILLEGAL | WASMTRAP_FAULT_ARITHMETIC;

static void *blocks_all(void *unused) {
  (void)unused;
  block_all();
  same(blocked_kinds(), taken, "wasmtrap_check tells which kinds are blocked");
  ok(description_contains("it blocks SIGSEGV SIGBUS SIGILL SIGFPE now"), "... and the description names the signals");
  same(wasmtrap_thread_attach(), WASMTRAP_OK, "attach");
  same(blocked_kinds(), 0, "none of them is blocked now");
  ok(description_contains("it blocked SIGSEGV SIGBUS SIGILL SIGFPE until it was attached"), "... the description says");
  static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
  static const int others[] = {SIGTRAP, SIGUSR1, SIGINT, SIGPROF, SIGCHLD, SIGABRT};
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) ok(!is_blocked(faults[i]), "signal %d", faults[i]);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) ok(is_blocked(others[i]), "not %d", others[i]);
  trap_of_each_kind();
  ok(is_blocked(SIGUSR1) && !is_blocked(SIGSEGV), "after the traps it is the same");

  block_all();
  wasmtrap_mark_t mark;
  must(wasmtrap_mark(&mark) == WASMTRAP_OK);
  same(blocked_kinds(), taken, "blocked again since, which nothing but attaching changes: wasmtrap_check tells");
  same(wasmtrap_thread_attach(), WASMTRAP_OK, "attach again");
  same(blocked_kinds(), 0, "... lifts it again");
  trap_of_each_kind();
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "detach");
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) ok(is_blocked(faults[i]), "... blocks %d", faults[i]);
  trap_of_each_kind();
  same(blocked_kinds(), 0, "a protected call attaches the thread as well");
  return NULL;
}

/* What was not blocked before is not blocked afterwards. */
static void *blocks_one(void *unused) {
  (void)unused;
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGFPE);
  must(pthread_sigmask(SIG_BLOCK, &one, NULL) == 0);
  trap_of_each_kind();
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  ok(is_blocked(SIGFPE) && !is_blocked(SIGSEGV) && !is_blocked(SIGILL), "only what was blocked is blocked again");
  return NULL;
}

static void on_a_thread(void *(*function)(void *)) {
  pthread_t thread;
  must(pthread_create(&thread, NULL, function, NULL) == 0);
  must(pthread_join(thread, NULL) == 0);
}

static void init_keeping(void) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.backend = WASMTRAP_BACKEND_SIGNALS;
  options.flags = WASMTRAP_INIT_KEEP_SIGNAL_MASK;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
}

static void keeps_the_mask(void *unused) {
  (void)unused;
  init_keeping();
  block_all();
  same(wasmtrap_thread_attach(), WASMTRAP_OK, "attach with a mask that is to be kept");
  same(blocked_kinds(), taken, "wasmtrap_check tells that it blocks the faults taken");
  ok(description_contains("WASMTRAP_INIT_KEEP_SIGNAL_MASK"), "... and the description that it is left to the host");
  ok(is_blocked(SIGSEGV), "it is as it was");
  same(wasmtrap_init(NULL), WASMTRAP_ERR_CONFLICT, "the flag is an option like others");
}

static void dies_with_its_mask(void *unused) {
  (void)unused;
  init_keeping();
  block_all();
  (void)library_traps();
}

/* The kinds that are taken grow while the thread is attached. */
static void a_client_takes_more(void *unused) {
  (void)unused;
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.backend = WASMTRAP_BACKEND_SIGNALS;
  options.fault_kinds = WASMTRAP_FAULT_MEMORY;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  block_all();
  ok(library_traps(), "a memory fault is a trap");
  ok(is_blocked(SIGILL), "what nobody takes is blocked as before");
  options.fault_kinds = WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ILLEGAL;
  wasmtrap_client_desc_t client = {0};
  client.struct_size = sizeof client;
  client.name = "one that takes more";
  client.options = &options;
  wasmtrap_code_desc_t code = {0};
  code.struct_size = sizeof code;
  must(wasmtrap_client_open(&client, &code.client) == WASMTRAP_OK);
  code.start = (void *)wasm_unreachable.start;
  code.length = wasm_unreachable.length;
  uint64_t id;
  must(wasmtrap_code_register(&code, &id) == WASMTRAP_OK);
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_unreachable, NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE,
               "what a later client takes is a trap in a thread that blocks it");
  ok(!is_blocked(SIGILL) && is_blocked(SIGFPE), "its signal is let in, and no other");
}

int main(void) {
  child_passes(a_client_takes_more, NULL, "a client that takes more kinds of fault than those before");
  host_init_with_signals();
  host_register_code(&wasm_unreachable);
  host_register_code(&wasm_recurse);
#if defined(__x86_64__)
  host_register_code(&wasm_divide);
#endif
  on_a_thread(blocks_all);
  on_a_thread(blocks_one);
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  child_passes(keeps_the_mask, NULL, "a host that keeps its mask");
  child_dies_of(SIGSEGV, dies_with_its_mask, NULL, "the kernel kills for a fault whose signal is blocked");
  return tap_done();
}
