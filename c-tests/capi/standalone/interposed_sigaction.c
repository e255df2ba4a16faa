/*
 * sigaction may be another's, who keeps what it is given from the kernel. The library finds that out, says so, and
 * lives with it: its handlers are where it says that they are, traps are traps, and whoever had his handler there gets
 * every crash, as without the library, whoever came first.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handlers.h"
#include "host.h"
#include "interposer.h"
#include "process.h"

/* What the kernel has. */
typedef struct kernel_action_t {
  void (*handler)(int, siginfo_t *, void *);
  unsigned long flags, restorer, mask;
} kernel_action_t;

static kernel_action_t kernel_has(void) {
  kernel_action_t action;
  must(syscall(SYS_rt_sigaction, SIGSEGV, NULL, &action, sizeof action.mask) == 0);
  return action;
}

static int same_actions(const kernel_action_t *one, const kernel_action_t *other) {
  return one->handler == other->handler && one->flags == other->flags && one->restorer == other->restorer &&
         one->mask == other->mask;
}

static uint32_t displaced(void) {
  uint32_t kinds = 99;
  must(wasmtrap_check(&kinds) == WASMTRAP_OK);
  return kinds;
}

static int described_with(const char *part) {
  char *const text = described();
  const int found = strstr(text, part) != NULL;
  if (!found) tap_note("%s", text);
  free(text);
  return found;
}

static void on_top(const char *name) {
  same(displaced(), 0, "%s: the library is on top", name);
  const kernel_action_t now = kernel_has();
  ok(now.handler != machine_handler && (now.flags & SA_ONSTACK) != 0, "... in the kernel, on the alternate stack");
  ok(library_traps(), "... traps are traps");
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_recurse, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW,
               "... stack overflows too");
}

static void crash(void *unused) {
  (void)unused;
  wasm_access_t access = {0, 0};
  wasm_store.function(&access);
}

/* In a child, which the machine's report ends. */
static void crash_is_reported(const char *name) {
  const int status = child_wait(child_start_to_die(crash, NULL));
  ok(WIFEXITED(status) && WEXITSTATUS(status) == MACHINE_REPORTS, "%s (%s)", name, child_end_in_words(status));
}

static void machine_first(void *exclusive) {
  machine_starts(SIGSEGV, exclusive != NULL);
  const kernel_action_t before = kernel_has();
  const struct sigaction kept = machine_keeps(SIGSEGV);
  host_init();
  host_register_code(&wasm_recurse);
  for (int i = 0; i < 3; i++) {
    on_top("after the machine");
    ok(described_with("sigaction: interposed by"), "... and says whose sigaction is");
    ok(described_with(exclusive != NULL ? "machine_handler" : "while sigaction says the default action"),
       "... and what lies below, or what sigaction says");
    crash_is_reported("a crash is the machine's");
    must(wasmtrap_rearm() == WASMTRAP_OK);
  }
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  const kernel_action_t after = kernel_has();
  ok(same_actions(&before, &after), "after the shutdown the kernel has what it had");
  const struct sigaction keeps = machine_keeps(SIGSEGV);
  ok(same_disposition(&kept, &keeps), "... and so has the machine");
  crash_is_reported("... which reports crashes");
}

static void library_first(void *unused) {
  (void)unused;
  host_init();
  host_register_code(&wasm_recurse);
  machine_starts(SIGSEGV, 0);
  same(displaced(), WASMTRAP_FAULT_MEMORY, "the machine after the library: displaced");
  ok(described_with("SIGSEGV: displaced by"), "... as the description says");
  ok(described_with("while sigaction says"), "... which sigaction does not know of");
  ok(library_traps(), "... traps are traps, by the machine's handler");
  crash_is_reported("a crash is the machine's, who has asked the library");
  for (int i = 0; i < 3; i++) {
    must(wasmtrap_rearm() == WASMTRAP_OK);
    on_top("on top of the machine");
    crash_is_reported("a crash is the machine's");
  }
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  ok(kernel_has().handler == machine_handler, "after the shutdown the kernel has the machine's handler");
  ok(machine_keeps(SIGSEGV).sa_handler == SIG_DFL, "... which asks nobody");
  crash_is_reported("... and reports crashes");
}

static void displaced_at_the_end(void *unused) {
  (void)unused;
  host_init();
  machine_starts(SIGSEGV, 0);
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  ok(kernel_has().handler == machine_handler, "a shutdown below the machine leaves its handler");
  ok(machine_keeps(SIGSEGV).sa_handler == SIG_DFL, "... and itself out of its way");
  crash_is_reported("... for the crash");
}

static void mended(void *unused) {
  (void)unused;
  /* A handler of the host's, which the machine asks. */
  install_handler(SIGSEGV, mending_handler, 0);
  machine_starts(SIGSEGV, 0);
  host_init();
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
  same(mending_calls, 1, "the host's handler is asked by the machine");
  ok(library_traps(), "and traps are traps");
}

int main(void) {
  static int exclusive;
  child_passes(machine_first, NULL, "a machine that was there first");
  child_passes(machine_first, &exclusive, "one that lets nobody install anything");
  child_passes(library_first, NULL, "a machine that comes later");
  child_passes(displaced_at_the_end, NULL, "one that is there when the library goes");
  child_passes(mended, NULL, "one that asks a host");
  return tap_done();
}
