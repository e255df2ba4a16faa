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

#include "api.h"
#include "fake_engine.h"
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
  machine_starts(SIGSEGV, exclusive != NULL ? MACHINE_EXCLUSIVE : MACHINE_KEEPS);
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
  machine_starts(SIGSEGV, MACHINE_KEEPS);
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

static void displaced_at_the_end(void *hands_on) {
  host_init();
  machine_starts(SIGSEGV, hands_on != NULL ? MACHINE_HANDS_ON : MACHINE_KEEPS);
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  ok(kernel_has().handler == machine_handler, "a shutdown below the machine leaves its handler");
  ok(machine_keeps(SIGSEGV).sa_handler == SIG_DFL, "... and itself out of its way");
  crash_is_reported("... for the crash");
}

static void mended(void *unused) {
  (void)unused;
  /* A handler of the host's, which the machine asks. */
  install_handler(SIGSEGV, mending_handler, 0);
  machine_starts(SIGSEGV, MACHINE_KEEPS);
  host_init();
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load.function(&access);
  same(mending_calls, 1, "the host's handler is asked by the machine");
  ok(library_traps(), "and traps are traps");
}

/* Who sits there without keeping anything to himself knows of the library, too. */
static void heard(void *unused) {
  (void)unused;
  host_init();
  for (int i = 0; i < 3; i++) {
    ok(handler_given(SIGSEGV) == kernel_has().handler, "sigaction was given what the kernel has");
    install_handler(SIGSEGV, mending_handler, 0);
    must(wasmtrap_rearm() == WASMTRAP_OK);
  }
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  ok(handler_given(SIGSEGV) == mending_handler, "and after the shutdown what was there before");
}

/* The last of the signals cannot be had: the first are given back. */
static void refused(void *unused) {
  (void)unused;
  install_handler(SIGSEGV, mending_handler, 0);
  const kernel_action_t before = kernel_has();
  machine_refuses(SIGFPE);
  wasmtrap_options_t options = {.struct_size = sizeof options, .backend = WASMTRAP_BACKEND_SIGNALS};
  same(wasmtrap_init(&options), WASMTRAP_ERR_SYSTEM, "wasmtrap_init, with a signal refused");
  const kernel_action_t after = kernel_has();
  ok(same_actions(&before, &after), "the kernel has what it had of another one");
  ok(handler_given(SIGSEGV) == mending_handler, "... and sigaction was given that");
  machine_refuses(0);
  same(wasmtrap_init(&options), WASMTRAP_OK, "wasmtrap_init, with none refused");
  ok(library_traps(), "and traps are traps");
}

/* A fault of nobody's, which the engine is asked about, and the host's handler mends. */
static void is_mended(const char *name) {
  const int calls = engines[0].calls, mended_before = mending_calls;
  wasm_access_t access = {address_of(inaccessible_page()), 1};
  wasm_load.function(&access);
  ok(engines[0].calls == calls + 1 && mending_calls == mended_before + 1, "%s: a crash is the host's, after the engine",
     name);
}

/* An engine finds the stand-ins by sigaction, and so do those who sit there. */
static void adopts(void *hands_on) {
  install_handler(SIGSEGV, mending_handler, SA_ONSTACK);
  machine_starts(SIGSEGV, hands_on != NULL ? MACHINE_HANDS_ON : MACHINE_KEEPS);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  const kernel_action_t before = kernel_has();
  const struct sigaction kept = machine_keeps(SIGSEGV);
  engines[0].flags = SA_ONSTACK;
  const uint64_t id = engine_adopt(0, WASMTRAP_CLIENT_DEFAULT, 0);
  kernel_action_t after = kernel_has();
  ok(same_actions(&before, &after), "adopted: the kernel has what it had");
  struct sigaction keeps = machine_keeps(SIGSEGV);
  ok(same_disposition(&kept, &keeps), "... and so has the machine");
  ok(engine_traps(0) && library_traps(), "... and all have their traps");
  is_mended("adopted");
  same(wasmtrap_adopt_release(id), WASMTRAP_OK, "wasmtrap_adopt_release");
  ok(engine_is_in_place(0, SIGSEGV), "... which sigaction knows");
  ok(engine_traps(0), "... and the engine has its traps");
  /* Handed on, its handler is in the place of the library's. */
  if (hands_on == NULL) ok(library_traps(), "... and so has the library");
  is_mended("released");
  ok(engine_uninstall(0), "the engine takes its handlers away");
  same(wasmtrap_rearm(), WASMTRAP_OK, "wasmtrap_rearm");
  after = kernel_has();
  ok(same_actions(&before, &after), "... and the kernel has what it had");
  keeps = machine_keeps(SIGSEGV);
  ok(same_disposition(&kept, &keeps), "... and so has the machine");
  ok(library_traps(), "... and traps are traps");
}

/* Two copies of the library go on top of each other where only the kernel hears of it. */
static void two_copies(void *unused) {
  (void)unused;
  machine_starts(SIGSEGV, MACHINE_KEEPS);
  host_init();
  void *const object = dlopen(PLUGIN, RTLD_NOW | RTLD_LOCAL);
  if (object == NULL) tap_note("%s", dlerror());
  must(object != NULL);
  const api_t plugin = api_of(object);
  must(plugin.wasmtrap_init_ != wasmtrap_init && plugin.wasmtrap_init_(NULL) == WASMTRAP_OK);
  for (int i = 0; i < 3; i++) {
    same(wasmtrap_rearm(), WASMTRAP_OK, "wasmtrap_rearm");
    same(displaced(), 0, "the library is on top");
    ok(library_traps(), "... and traps are traps");
    same(plugin.wasmtrap_rearm_(), WASMTRAP_OK, "another copy's");
    uint32_t kinds = 99;
    must(plugin.wasmtrap_check_(&kinds) == WASMTRAP_OK);
    same(kinds, 0, "the other copy is on top");
    ok(library_traps(), "... and traps are traps");
  }
  crash_is_reported("a crash is the machine's");
}

int main(void) {
  static int exclusive;
  child_passes(machine_first, NULL, "a machine that was there first");
  child_passes(machine_first, &exclusive, "one that lets nobody install anything");
  child_passes(library_first, NULL, "a machine that comes later");
  child_passes(displaced_at_the_end, NULL, "one that is there when the library goes");
  static int hands_on;
  child_passes(displaced_at_the_end, &hands_on, "... and hands on what it is given");
  child_passes(mended, NULL, "one that asks a host");
  child_passes(heard, NULL, "one that keeps nothing");
  child_passes(refused, NULL, "one that refuses a signal");
  child_passes(adopts, NULL, "an engine that is adopted beside one");
  child_passes(adopts, &hands_on, "... and beside one that hands on what it is given");
  child_passes(two_copies, NULL, "two copies of the library above one");
  return tap_done();
}
