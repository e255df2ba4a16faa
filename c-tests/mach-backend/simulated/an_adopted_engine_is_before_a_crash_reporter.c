/* An adopted engine's POSIX handlers are called for exceptions, with what a signal would have told them, and whatever
 * they do is done: a crash reporter at task level hears of none of its traps, and of each crash. */
#include <pthread.h>
#include <signal.h>

#include <simulated_mach.h>

#include "backend.h"
#include "cases.h"
#include "engine.h"
#include "fake_engine.h"
#include "handlers.h"
#include "host_rules.h"
#include "machine_state.h"

enum { ROUNDS = 60 };

static simulated_exceptions_t exceptions_now(void) {
  simulated_exceptions_t now;
  must(simulated_exceptions(&now) == KERN_SUCCESS);
  return now;
}

static uint64_t adopt(int number, int flags, int masked, uint32_t adopt_flags) {
  uint64_t id = 0;
  engines[number].flags = flags;
  engines[number].masked = masked;
  must(wasmtrap_adopt_begin(WASMTRAP_CLIENT_DEFAULT) == WASMTRAP_OK);
  engine_install(number);
  same(wasmtrap_adopt_end(adopt_flags, &id), WASMTRAP_OK, "wasmtrap_adopt_end: %s", wasmtrap_last_error());
  return id;
}

/* All that a handler can do, installed in each way. */
static void each_way(void) {
  static const int flags[] = {SA_ONSTACK, 0, SA_ONSTACK | SA_NODEFER};
  init_mach_ports(0);
  adopt(0, SA_ONSTACK, 0, 0);
  for (int kind = 0; kind < 3; kind++) {
    if (kind > 0) {
      /* As another engine, with the code of its own. */
      adopt(kind, flags[kind], kind == 2 ? SIGUSR1 : 0, 0);
    }
    fake_engine_t *const engine = &engines[kind];
    for (int answer = 0; answer < ANSWERS; answer++) {
      engine->answer = (engine_answer_t)answer;
      const simulated_exceptions_t before = exceptions_now();
      int good = 0;
      for (int i = 0; i < ROUNDS; i++) good += engine_traps(kind);
      const simulated_exceptions_t after = exceptions_now();
      same(good, ROUNDS, "engine %d, which %s", kind, answer_names[answer]);
      same(after.task_level, before.task_level, "nothing comes to the task's level");
      same(after.became_signals, before.became_signals, "and nothing becomes a signal");
      same(engine->itself_blocked, (flags[kind] & SA_NODEFER) == 0, "its own signal is blocked as asked for");
      same(engine->usr1_blocked, engine->masked != 0, "and others as asked for");
      same(engine->below < ENGINE_NEAR, (flags[kind] & SA_ONSTACK) == 0, "it runs on the guest's stack, or on another");
      same(engine->pc, wasm_fault_pc(&engine->codes[0]), "the program counter");
      same(engine->signal, SIGSEGV, "the signal");
      same(engine->code, SEGV_MAPERR, "its code");
      sigset_t mask;
      must(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
      ok(!sigismember(&mask, SIGSEGV) && !sigismember(&mask, SIGUSR1), "nothing stays blocked");
      traps_by_ports("a trap of the library's");
    }
  }
}

/* What a handler wants blocked may be blocked already, and may be its own signal. */
static void masks(void) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  must(pthread_sigmask(SIG_BLOCK, &mask, NULL) == 0);
  init_mach_ports(0);
  const int masked[] = {SIGUSR1, SIGSEGV};
  for (int i = 0; i < 2; i++) {
    adopt(i, SA_ONSTACK, masked[i], 0);
    ok(engine_traps(i), "engine %d", i);
    same(engines[i].itself_blocked, 1, "its own signal is blocked");
    same(engines[i].usr1_blocked, 1, "and what the thread has blocked");
    must(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
    ok(!sigismember(&mask, SIGSEGV) && sigismember(&mask, SIGUSR1), "which it has afterwards, and nothing else");
  }
  same(exceptions_now().became_signals, 0, "nothing has become a signal");
}

/* Runs the engine's guest when so many bytes of the stack are left. */
__attribute__((noinline)) static int traps_above(size_t low, size_t left) {
  static wasm_access_t access;
  access.address = address_of(inaccessible_page());
  volatile char *const used = __builtin_alloca((size_t)__builtin_frame_address(0) - low - left);
  used[0] = 1;
  return engine_run(0, &engines[0].codes[0], &access);
}

/* Where a handler that runs on the guest's stack has no room for what the kernel would put there, it is not called, and
 * the process ends, as it does by a signal. */
static void *fault_without_room(void *unused) {
  enum { PLENTY = 64 * 1024, TOO_LITTLE = 3 * 1024 };
  pthread_attr_t attributes;
  void *low;
  size_t size;
  must(pthread_getattr_np(pthread_self(), &attributes) == 0);
  must(pthread_attr_getstack(&attributes, &low, &size) == 0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(traps_above((size_t)low, PLENTY));
  /* What the calls on the way to the guest take. */
  const size_t taken = (size_t)low + PLENTY - engines[0].sp;
  ok(traps_above((size_t)low, TOO_LITTLE + taken), "a trap of the engine's");
  return unused;
}

static void no_room(void) {
  init_mach_ports(0);
  engine_compile(0, &wasm_load);
  engines[0].answer = ANSWER_JUMPS;
  adopt(0, 0, 0, 0);
  on_a_thread(fault_without_room, NULL);
}

static void other_kinds(void) {
  init_mach_ports(0);
  adopt(0, SA_ONSTACK, 0, 0);
  const wasm_code_t *const unreachable = engine_compile(0, &wasm_unreachable);
  ok(engine_run(0, unreachable, NULL), "an instruction that is none");
  same(engines[0].signal, SIGILL, "is SIGILL");
  same(engines[0].address, wasm_fault_pc(unreachable), "with the instruction as its address");
#if defined(__x86_64__)
  const wasm_code_t *const divide = engine_compile(0, &wasm_divide);
  wasm_access_t access = {1, 0};
  ok(engine_run(0, divide, &access), "a division by zero");
  same(engines[0].signal, SIGFPE, "is SIGFPE");
  same(engines[0].code, FPE_INTDIV, "with its code");
  same(engines[0].address, wasm_fault_pc(divide), "and the instruction as its address");
#endif
  const wasm_code_t *const recurse = engine_compile(0, &wasm_recurse);
  for (int i = 0; i < 3; i++) {
    wasm_access_t frames = {0, 0};
    engines[0].answer = ANSWER_JUMPS;
    ok(engine_run(0, recurse, &frames), "the stack's end, time %d", i + 1);
  }
  same(exceptions_now().became_signals, 0, "nothing has become a signal");
}

/* What each way of declining leaves to a crash reporter, once, with the registers of the fault. */
static void declined(engine_decline_t decline, int flags) {
  engine_t reporter;
  engine_start_for_task(&reporter, ENGINE_MENDS);
  must(engine_takes_task(&reporter, EXC_MASK_BAD_ACCESS | EXC_MASK_BAD_INSTRUCTION | EXC_MASK_ARITHMETIC,
                         harmless_behavior()) == KERN_SUCCESS);
  make_own_fault(&reporter, OWN_LOAD);
  const engine_report_t without = *engine_last(&reporter);
  init_mach_ports(0);
  engines[0].decline = decline;
  adopt(0, flags, 0, 0);
  for (int i = 1; i <= 10; i++) {
    for (int trap = 0; trap < 5; trap++) ok(engine_traps(0), "a trap of the engine's is its own");
    const int calls = engines[0].calls;
    make_own_fault(&reporter, OWN_LOAD);
    same(engines[0].calls, calls + 1, "it is asked about the host's crash, once");
    same(engine_count(&reporter), i + 1, "and the reporter, once");
    const engine_report_t with = *engine_last(&reporter);
    same_engine_reports(&with, &without, "which hears what it would hear");
    traps_by_ports("a trap of the library's");
  }
  uint32_t displaced = 1;
  must(wasmtrap_check(&displaced) == WASMTRAP_OK);
  same(displaced, 0, "the library is in place");
  engine_stop(&reporter);
}

static void calls_earlier(void) { declined(DECLINE_CALLS_EARLIER, SA_ONSTACK); }
static void calls_earlier_on_its_stack(void) { declined(DECLINE_CALLS_EARLIER, 0); }
static void sets_default(void) { declined(DECLINE_SETS_DEFAULT, SA_ONSTACK); }
static void puts_earlier_back(void) { declined(DECLINE_PUTS_EARLIER_BACK, 0); }

/* Without anybody else, to the signal handler that was there before the library, and to the default action. */
static void to_a_signal_handler(void) {
  install_handler(SIGSEGV, mending_handler, SA_ONSTACK);
  init_mach_ports(0);
  adopt(0, SA_ONSTACK, 0, 0);
  for (int i = 1; i <= 5; i++) {
    const int calls = engines[0].calls;
    wasm_access_t access = {address_of(inaccessible_page()), 1};
    wasm_load.function(&access);
    same(mending_calls, i, "crash %d comes to the handler", i);
    same(engines[0].calls, calls + 1, "after the engine was asked, once");
    ok(engine_traps(0), "a trap of the engine's");
  }
}

static void to_nobody(void) {
  init_mach_ports(0);
  adopt(0, SA_ONSTACK, 0, 0);
  ok(engine_traps(0), "a trap of the engine's");
  wasm_access_t access = {address_of(inaccessible_page()), 1};
  wasm_load.function(&access);
}

/* Two that have their own, in code that is known to be theirs and in code that is not. */
static void two_engines(void) {
  init_mach_ports(0);
  const uint64_t first = adopt(0, SA_ONSTACK, 0, 0), second = adopt(1, 0, 0, 0);
  for (int i = 0; i < 50; i++) must(engine_traps(0) && engine_traps(1));
  uint64_t before;
  same(wasmtrap_adopted_enter(second, &before), WASMTRAP_OK, "wasmtrap_adopted_enter");
  const int calls = engines[0].calls;
  ok(engine_traps(1), "a trap of the second one's on a thread that is marked as its");
  same(engines[0].calls, calls, "the first one is not asked");
  ok(engine_traps(0), "a trap of the first one's there");
  must(wasmtrap_adopted_leave(before) == WASMTRAP_OK);
  same(exceptions_now().task_level, 0, "nothing has come to the task's level");
  same(wasmtrap_adopt_release(first), WASMTRAP_OK, "wasmtrap_adopt_release");
  ok(engine_is_in_place(0, SIGSEGV), "its handlers are in place");
  ok(engine_traps(0) && engine_traps(1), "both have their traps");
  ok(exceptions_now().became_signals > 0, "its own as signals");
  ok(engine_uninstall(0), "it takes its handlers away");
  ok(engine_traps(1), "the other one has its traps");
  traps_by_ports("and the library");
}

/* Who is not to be asked costs no exception more: one is a trap of the library's, and one a crash of the host's that
 * only the handler from before is to hear of. */
static void nobody_is_asked_in_vain(void) {
  install_handler(SIGSEGV, mending_handler, SA_ONSTACK);
  init_mach_ports(0);
  adopt(0, SA_ONSTACK, 0, WASMTRAP_ADOPT_OWN_FAULTS);
  traps_by_ports("a trap of the library's");
  simulated_exceptions_t before = exceptions_now();
  wasm_access_t access = {address_of(inaccessible_page()), 1};
  wasm_load.function(&access);
  simulated_exceptions_t after = exceptions_now();
  same(mending_calls, 1, "a crash comes to the handler");
  same(engines[0].calls, 0, "and to no engine that has asked for its own faults only");
  same(after.thread_level - before.thread_level, 1, "it is one exception");
  adopt(1, SA_ONSTACK, 0, 0);
  before = exceptions_now();
  for (int i = 0; i < 10; i++) traps_by_ports("a trap of the library's beside an engine that asks for all");
  after = exceptions_now();
  same(after.thread_level - before.thread_level, 10, "is one exception too");
  same(engines[1].calls, 0, "of which the engine does not hear");
}

/* The engine whose thread it is comes before the library, and before what any region says. */
static volatile int trapped_inside;

static void traps_beside_a_region(void *page) {
  wasmtrap_guest_access_t guest_access;
  must(wasmtrap_guest_access_begin(WASMTRAP_CLIENT_DEFAULT, &guest_access) == WASMTRAP_OK);
  wasm_access_t access = {address_of(page), 1};
  trapped_inside = engine_run(0, &engines[0].codes[0], &access);
  must(wasmtrap_guest_access_end(&guest_access) == WASMTRAP_OK);
}

static void an_owner_is_first(void) {
  init_mach_ports(0);
  engine_compile(0, &wasm_load);
  engines[0].answer = ANSWER_JUMPS;
  const uint64_t id = adopt(0, SA_ONSTACK, 0, 0);
  void *const page = inaccessible_page();
  const wasmtrap_region_desc_t desc = {
      .struct_size = sizeof desc, .base = page, .length = page_size(), .flags = WASMTRAP_REGION_ANY_PC};
  uint64_t region, before;
  must(wasmtrap_region_register(&desc, &region) == WASMTRAP_OK);
  wasmtrap_trap_t trap = host_new_trap();
  same(wasmtrap_call(traps_beside_a_region, page, &trap), WASMTRAP_TRAPPED, "a trap by the region alone");
  must(wasmtrap_adopted_enter(id, &before) == WASMTRAP_OK);
  same(wasmtrap_call(traps_beside_a_region, page, &trap), WASMTRAP_OK, "none on a thread with the engine's mark");
  ok(trapped_inside, "but the engine's");
  must(wasmtrap_adopted_leave(before) == WASMTRAP_OK);
  same(exceptions_now().became_signals, 0, "nothing has become a signal");
}

#if defined(__x86_64__)
/* What a handler puts into registers that were not in use is there afterwards. AVX has an instruction after which none
 * of the vector registers is. */
static void sets_a_register(int signal, siginfo_t *info, void *context) {
  (void)signal;
  ((ucontext_t *)context)->uc_mcontext.fpregs->_xmm[3].element[0] = 4711;
  make_accessible(info->si_addr);
}

static void registers_not_in_use(void) {
  if (!__builtin_cpu_supports("avx")) skip_case("there is no AVX");
  init_mach_ports(0);
  uint64_t id;
  must(wasmtrap_adopt_begin(WASMTRAP_CLIENT_DEFAULT) == WASMTRAP_OK);
  install_handler(SIGSEGV, sets_a_register, SA_ONSTACK);
  must(wasmtrap_adopt_end(0, &id) == WASMTRAP_OK);
  const unsigned char *const page = inaccessible_page();
  uint64_t value = 1;
  uint32_t xmm3 = 0;
  __asm__ volatile("vzeroall\n\tmovq (%2), %0\n\tmovd %%xmm3, %1"
                   : "=&r"(value), "=r"(xmm3)
                   : "r"(page)
                   : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                     "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
  same(value, 0, "the load goes on");
  same(xmm3, 4711, "the register is what the handler has set");
  same(exceptions_now().became_signals, 0, "by the port");
}
#endif

/* The registers that a handler has not changed are what they were, those of vectors included. */
static void keeps_registers(void) {
  init_mach_ports(0);
  engines[0].answer = ANSWER_MENDS;
  adopt(0, SA_ONSTACK, 0, 0);
  engine_owns_everything(0);
  for (int i = 0; i < 20; i++) {
    machine_state_t before, after;
    load_between_machine_states(inaccessible_page(), &before, &after);
    const char *const difference = first_difference(&before, &after);
    ok(difference == NULL, "a register that differs: %s", difference == NULL ? "none" : difference);
  }
  same(engines[0].own, 20, "it was asked each time");
}

static void *traps_often(void *wrong_out) {
  int *const wrong = wrong_out;
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  unsigned char *const page = inaccessible_page();
  for (int i = 0; i < 200; i++) {
    wasm_access_t access = {address_of(page), 1};
    if (!engine_run(0, &engines[0].codes[0], &access)) ++*wrong;
    if (!engine_run(1, &engines[1].codes[0], &access)) ++*wrong;
  }
  return NULL;
}

static void many_threads(void) {
  init_mach_ports(0);
  for (int i = 0; i < 2; i++) {
    engine_compile(i, &wasm_load);
    engines[i].answer = i == 0 ? ANSWER_REDIRECTS : ANSWER_JUMPS;
    adopt(i, i == 0 ? SA_ONSTACK : 0, 0, 0);
  }
  pthread_t threads[6];
  int wrong[6] = {0};
  for (int i = 0; i < 6; i++) must(pthread_create(&threads[i], NULL, traps_often, &wrong[i]) == 0);
  for (int i = 0; i < 6; i++) {
    must(pthread_join(threads[i], NULL) == 0);
    same(wrong[i], 0, "thread %d", i);
  }
  same(exceptions_now().task_level, 0, "nothing has come to the task's level");
}

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"all that a handler can do, installed in each way", each_way, 0},
      {"what is blocked meanwhile", masks, 0},
      {"on a stack that is nearly used up", no_room, SIGSEGV},
      {"other kinds of fault", other_kinds, 0},
      {"one that calls its earlier handler", calls_earlier, 0},
      {"one that does so on the stack of the fault", calls_earlier_on_its_stack, 0},
      {"one that sets the default action", sets_default, 0},
      {"one that puts its earlier handler back", puts_earlier_back, 0},
      {"what is declined, to a signal handler", to_a_signal_handler, 0},
      {"what is declined, to nobody", to_nobody, SIGSEGV},
      {"two engines", two_engines, 0},
      {"registers", keeps_registers, 0},
#if defined(__x86_64__)
      {"registers that were not in use", registers_not_in_use, 0},
#endif
      {"who is not to be asked", nobody_is_asked_in_vain, 0},
      {"an owner and a region", an_owner_is_first, 0},
      {"many threads", many_threads, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
