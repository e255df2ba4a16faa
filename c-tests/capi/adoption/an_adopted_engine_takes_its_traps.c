/* An adopted engine's handlers are called for its faults as the kernel would have called them, whatever they do about
 * them; the library is in front, and its traps are traps. */
#include <signal.h>
#include <stdio.h>

#include "fake_engine.h"
#include "handlers.h"
#include "host.h"
#include "process.h"

static const struct {
  int flags, masked;
  /* SIGUSR1 is, in the thread. */
  int blocked;
  const char *name;
} kinds[] = {{SA_ONSTACK, 0, 0, "on the alternate stack"},
             {0, 0, 0, "on the guest's stack"},
             {SA_ONSTACK | SA_NODEFER, 0, 0, "with SA_NODEFER"},
             {SA_ONSTACK, SIGUSR1, 0, "with a mask"},
             {SA_ONSTACK, SIGUSR1, 1, "with a mask of what is blocked"},
             {SA_ONSTACK, SIGSEGV, 0, "with a mask of its own signal"},
             {SA_NODEFER, SIGUSR1, 0, "on the guest's stack with SA_NODEFER and a mask"}};

static engine_answer_t answer;
static int kind;

/* 300 faults, and what the handler has seen of the last one. */
static void takes(void *unused) {
  (void)unused;
  fake_engine_t *const engine = &engines[0];
  engine->answer = answer;
  engine->flags = kinds[kind].flags;
  engine->masked = kinds[kind].masked;
  sigset_t usr1, mask;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  if (kinds[kind].blocked) must(pthread_sigmask(SIG_BLOCK, &usr1, NULL) == 0);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  const struct sigaction before = disposition_of(SIGSEGV);
  uint64_t id = 0;
  same(wasmtrap_adopt_begin(WASMTRAP_CLIENT_DEFAULT), WASMTRAP_OK, "wasmtrap_adopt_begin");
  engine_install(0);
  ok(engine_traps(0), "before the end its handler is called by the kernel");
  ok(library_traps(), "and the library by it");
  same(wasmtrap_adopt_end(0, &id), WASMTRAP_OK, "wasmtrap_adopt_end: %s", wasmtrap_last_error());
  ok(id != 0, "an id");
  const struct sigaction after = disposition_of(SIGSEGV);
  ok(same_disposition(&before, &after), "what was there is there again");
  uint32_t displaced = 1;
  same(wasmtrap_check(&displaced), WASMTRAP_OK, "wasmtrap_check");
  same(displaced, 0, "the library is in front");

  int good = 0;
  for (int i = 0; i < 300; i++) good += engine_traps(0);
  same(good, 300, "faults of the engine's are its own");
  same(engine->signal, SIGSEGV, "the signal");
  same(engine->code, INACCESSIBLE_PAGE_CODE, "its code");
  same(engine->pc, wasm_fault_pc(&engine->codes[0]), "the program counter");
  /* On the callback's stack the kernel knows of no alternate one. */
  if (exception_ports() == NO_MACH || exception_ports() == PORTS_REFUSED) {
    same(engine->on_alternate_stack, (kinds[kind].flags & SA_ONSTACK) != 0, "the stack");
  }
  same(engine->below < ENGINE_NEAR, (kinds[kind].flags & SA_ONSTACK) == 0, "the guest's, or another");
  same(engine->itself_blocked, (kinds[kind].flags & SA_NODEFER) == 0, "its own signal is blocked as asked for");
  same(engine->usr1_blocked, kinds[kind].masked == SIGUSR1, "and others as asked for");
  must(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
  ok(!sigismember(&mask, SIGSEGV), "nothing stays blocked");
  same(sigismember(&mask, SIGUSR1), kinds[kind].blocked, "but what was");
  const int calls = engine->calls;
  good = 0;
  for (int i = 0; i < 100; i++) good += library_traps();
  same(good, 100, "the library's traps are traps");
  same(engine->calls, calls, "which the engine does not hear of");
}

#if defined(__x86_64__)
static void arithmetic(void *unused) {
  (void)unused;
  engines[0].flags = SA_ONSTACK;
  host_init();
  engine_adopt(0, 0, 0);
  const wasm_code_t *const divide = engine_compile(0, &wasm_divide);
  wasm_access_t access = {1, 0};
  ok(engine_run(0, divide, &access), "a division by zero");
  same(engines[0].signal, SIGFPE, "is SIGFPE");
  same(engines[0].code, FPE_INTDIV, "with its code");
  same(engines[0].address, wasm_fault_pc(divide), "and the instruction as its address");
}
#endif

static void unreachable(void *unused) {
  (void)unused;
  engines[0].flags = SA_ONSTACK;
  host_init();
  engine_adopt(0, 0, 0);
  const wasm_code_t *const code = engine_compile(0, &wasm_unreachable);
  ok(engine_run(0, code, NULL), "an instruction that is none");
  same(engines[0].signal, SIGILL, "is SIGILL");
  same(engines[0].address, wasm_fault_pc(code), "with the instruction as its address");
}

/* The library is in front for what the engine handles, even where it takes none of that itself. */
static void of_another_kind(void *unused) {
  (void)unused;
  engines[0].flags = SA_ONSTACK;
  host_init_with_kinds(WASMTRAP_FAULT_MEMORY);
  ok(disposition_of(SIGILL).sa_handler == SIG_DFL, "the library takes no illegal instructions");
  engine_adopt(0, 0, 0);
  ok(disposition_of(SIGILL).sa_handler != SIG_DFL && !engine_is_in_place(0, SIGILL), "it is in front for them now");
  const wasm_code_t *const code = engine_compile(0, &wasm_unreachable);
  ok(engine_run(0, code, NULL), "an instruction that is none");
  same(engines[0].signal, SIGILL, "is SIGILL");
  ok(library_traps(), "and the library has its traps");
}

/* Its stack overflow, on the thread's own stack. */
static void overflow(void *unused) {
  (void)unused;
  engines[0].flags = SA_ONSTACK;
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  engine_adopt(0, 0, 0);
  const wasm_code_t *const code = engine_compile(0, &wasm_recurse);
  for (int i = 0; i < 3; i++) {
    wasm_access_t access = {0, 0};
    /* From the handler: there is no room to go on in a function. */
    engines[0].answer = ANSWER_JUMPS;
    ok(engine_run(0, code, &access), "the stack's end, time %d", i + 1);
  }
}

int main(void) {
  for (kind = 0; kind < (int)(sizeof kinds / sizeof *kinds); kind++) {
    for (int i = 0; i < ANSWERS; i++) {
      answer = (engine_answer_t)i;
      char name[128];
      snprintf(name, sizeof name, "one that %s, %s", answer_names[i], kinds[kind].name);
      child_passes(takes, NULL, name);
    }
  }
#if defined(__x86_64__)
  child_passes(arithmetic, NULL, "arithmetic");
#endif
  child_passes(unreachable, NULL, "an illegal instruction");
  child_passes(of_another_kind, NULL, "a kind of fault that the library does not take");
  child_passes(overflow, NULL, "a stack overflow");
  return tap_done();
}
