/* What an adopted engine declines, in whichever way, goes to who was there before the library, once; and the library
 * is in front as before. Without anybody there it ends the process where it happened. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "context.h"
#include "fake_engine.h"
#include "handlers.h"
#include "host.h"
#include "process.h"

static engine_decline_t decline;
static int flags;

/* Was there before the library. */
static volatile int reports;
static volatile size_t reported_pc;

static void crash_reporter(int signal, siginfo_t *info, void *context) {
  (void)signal;
  reports++;
  reported_pc = context_pc(context);
  make_accessible(info->si_addr);
}

/* One that wants to be called once. */
static void reports_once(int signal, siginfo_t *info, void *context) {
  crash_reporter(signal, info, context);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, NULL);
}

static void adopt(int number) {
  engines[number].decline = decline;
  engines[number].flags = flags;
  engine_adopt(number, WASMTRAP_CLIENT_DEFAULT, 0);
}

/* The host's own crash, in code of nobody's. */
static void crash(void) {
  wasm_access_t access = {address_of(inaccessible_page()), 1};
  wasm_load.function(&access);
}

static void to_a_reporter(void *unused) {
  (void)unused;
  install_handler(SIGSEGV, crash_reporter, SA_ONSTACK);
  install_handler(SIGBUS, crash_reporter, SA_ONSTACK);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  adopt(0);
  const struct sigaction before = disposition_of(SIGSEGV);
  for (int i = 1; i <= 20; i++) {
    crash();
    if (!ok(reports == i, "crash %d is reported once", i)) break;
    same(reported_pc, wasm_fault_pc(&wasm_load), "where it was");
    same(engines[0].calls - engines[0].own, i, "after the engine was asked, once");
    ok(engine_traps(0), "a trap of the engine's is its own");
    ok(library_traps(), "and the library's is a trap");
  }
  const struct sigaction after = disposition_of(SIGSEGV);
  ok(same_disposition(&before, &after), "the library is in place");
}

static void to_nobody(void *unused) {
  (void)unused;
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  adopt(0);
  ok(engine_traps(0), "a trap of the engine's is its own");
  crash();
}

/* Each of three declines in its own way, on its own stack; the reporter hears of it all the same. */
static void one_after_the_other(void *unused) {
  (void)unused;
  install_handler(SIGSEGV, crash_reporter, 0);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  for (int i = 0; i < ENGINES; i++) {
    decline = (engine_decline_t)i;
    flags = SA_ONSTACK;
    adopt(i);
  }
  for (int i = 1; i <= 5; i++) {
    crash();
    if (!ok(reports == i, "crash %d is reported once", i)) break;
    for (int engine = 0; engine < ENGINES; engine++) {
      same(engines[engine].calls - engines[engine].own, i, "after engine %d was asked, once", engine);
    }
    /* The last one first: those before it are asked before. */
    for (int engine = 0; engine < ENGINES; engine++) ok(engine_traps(engine), "engine %d has its traps", engine);
    for (int engine = 0; engine < ENGINES; engine++) engines[engine].calls = engines[engine].own + i;
  }
}

/* Who comes after the engine has the last word: what he has set is not taken for the engine's way of declining. */
static void to_one_who_steps_back(void *unused) {
  (void)unused;
  install_handler(SIGSEGV, reports_once, SA_ONSTACK);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  flags = SA_ONSTACK;
  decline = DECLINE_CALLS_EARLIER;
  adopt(0);
  crash();
  same(reports, 1, "the crash is reported once");
  same(engines[0].calls, 1, "after the engine was asked, once");
  ok(disposition_of(SIGSEGV).sa_handler == SIG_DFL, "and the default action stays");
}

static volatile int newer_reports;

static void newer_reporter(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  newer_reports++;
  make_accessible(info->si_addr);
}

/* An engine that is gone by itself has put what it has found in the library's place. That goes on to who is underneath
 * now, not to who was when the library came. */
static void to_who_is_underneath_now(void *unused) {
  (void)unused;
  install_handler(SIGSEGV, crash_reporter, SA_ONSTACK);
  host_init_with_signals();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  install_handler(SIGSEGV, newer_reporter, SA_ONSTACK);
  must(wasmtrap_rearm() == WASMTRAP_OK);
  flags = SA_ONSTACK;
  decline = DECLINE_CALLS_EARLIER;
  adopt(0);
  must(sigaction(SIGSEGV, &engines[0].earlier[SIGSEGV], NULL) == 0);
  crash();
  same(newer_reports, 1, "the crash is reported once, by the newer one");
  same(reports, 0, "who is underneath that one is its own affair");
  ok(library_traps(), "and the library is in place");
}

/* A handler on top hands on a copy of what the kernel told it: what the library notes for itself is in there, and
 * nothing behind it. */
static struct {
  siginfo_t info;
  unsigned char behind[64];
} copy;
static struct sigaction below[NSIG];
static volatile int handed_on;

static void hands_on_a_copy(int signal, siginfo_t *info, void *context) {
  handed_on++;
  copy.info = *info;
  below[signal].sa_sigaction(signal, &copy.info, context);
}

static void by_a_copy(void *unused) {
  (void)unused;
  const int signals[] = {SIGSEGV, SIGBUS};
  for (int i = 0; i < 2; i++) install_handler(signals[i], crash_reporter, SA_ONSTACK);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  flags = SA_ONSTACK;
  decline = DECLINE_CALLS_EARLIER;
  adopt(0);
  for (int i = 0; i < 2; i++) below[signals[i]] = install_handler(signals[i], hands_on_a_copy, SA_ONSTACK);
  unsigned char behind[sizeof copy.behind];
  memset(behind, 0xa5, sizeof behind);
  memcpy(copy.behind, behind, sizeof behind);
  crash();
  same(handed_on, 1, "the copy was handed on");
  same(reports, 1, "the crash is reported once");
  same(engines[0].calls, 1, "after the engine was asked, once");
  ok(memcmp(copy.behind, behind, sizeof behind) == 0, "and nothing is written behind the copy");
}

/* What a process sends is no fault: no engine is asked. */
static void sent(void *unused) {
  (void)unused;
  install_handler(SIGSEGV, mending_handler, 0);
  host_init();
  flags = SA_ONSTACK;
  decline = DECLINE_CALLS_EARLIER;
  adopt(0);
  must(raise(SIGSEGV) == 0);
  same(mending_calls, 1, "a signal that was sent goes to who was there");
  same(engines[0].calls, 0, "and no engine is asked");
}

int main(void) {
  char name[160];
  for (int on_stack = 0; on_stack < 2; on_stack++) {
    flags = on_stack ? SA_ONSTACK : 0;
    for (int i = 0; i < DECLINES; i++) {
      decline = (engine_decline_t)i;
      snprintf(name, sizeof name, "to nobody: one that %s, %s", decline_names[i],
               on_stack ? "on the alternate stack" : "on the stack of the fault");
      child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), to_nobody, NULL, name);
      /* The default action is what the kernel sees when such a handler has returned. */
      if (!on_stack && decline == DECLINE_SETS_DEFAULT) continue;
      snprintf(name, sizeof name, "to a crash reporter: one that %s, %s", decline_names[i],
               on_stack ? "on the alternate stack" : "on the stack of the fault");
      child_passes(to_a_reporter, NULL, name);
    }
  }
  child_passes(one_after_the_other, NULL, "three engines");
  child_passes(to_one_who_steps_back, NULL, "to one who sets the default action");
  child_passes(to_who_is_underneath_now, NULL, "to a newer one, by an engine that has gone");
  child_passes(by_a_copy, NULL, "by a handler that hands on a copy");
  child_passes(sent, NULL, "a signal that was sent");
  return tap_done();
}
