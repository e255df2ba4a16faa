#include "fake_engine.h"

#include <string.h>
#include <unistd.h>

#include "context.h"
#include "handlers.h"
#include "memory.h"
#include "tap.h"

const char *const answer_names[] = {"redirects", "jumps", "changes a register", "mends"};
const char *const decline_names[] = {"calls the earlier handler", "sets the default", "puts the earlier back"};

static const int engine_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
enum { SIGNALS = sizeof engine_signals / sizeof *engine_signals, ENDLESS = 1000000 };

/* The guests of this thread. */
static __thread sigjmp_buf *volatile guests[ENGINES];

/* The functions in which redirected threads go on. */
#define LEAVE(number) \
  static void leave_##number(void) { siglongjmp(*guests[number], 1); }
LEAVE(0)
LEAVE(1)
LEAVE(2)
static void (*const leave[])(void) = {leave_0, leave_1, leave_2};

static int owns(const fake_engine_t *engine, size_t pc) {
  if (engine->owns_everything) return 1;
  for (size_t i = 0; i < engine->code_count; i++) {
    /* int3 is reported behind itself. */
    if (pc - (size_t)(uintptr_t)engine->codes[i].start <= engine->codes[i].length) return 1;
  }
  return 0;
}

static void go_on_at(void *context, void (*function)(void)) {
  context_set_pc(context, (size_t)(uintptr_t)function);
  const size_t sp = context_sp(context) & ~(size_t)15;
#if defined(__x86_64__)
  context_set_sp(context, sp - 128 - 8);
#else
  context_set_sp(context, sp);
#endif
}

static void handle(int number, int signal, siginfo_t *info, void *context) {
  fake_engine_t *const engine = &engines[number];
  if (++engine->calls > ENDLESS) _exit(22);
  stack_t stack;
  sigset_t mask;
  sigaltstack(NULL, &stack);
  pthread_sigmask(SIG_BLOCK, NULL, &mask);
  engine->signal = info->si_signo == signal ? signal : -1;
  engine->code = info->si_code;
  engine->address = (size_t)(uintptr_t)info->si_addr;
  engine->pc = context_pc(context);
  engine->on_alternate_stack = (stack.ss_flags & SS_ONSTACK) != 0;
  engine->sp = context_sp(context);
  engine->below = engine->sp - (size_t)__builtin_frame_address(0);
  engine->itself_blocked = sigismember(&mask, signal);
  engine->masked_now = engine->masked != 0 && sigismember(&mask, engine->masked);
  engine->usr1_blocked = sigismember(&mask, SIGUSR1);
  if (!owns(engine, context_pc(context))) {
    switch (engine->decline) {
      case DECLINE_CALLS_EARLIER: pass_on(&engine->earlier[signal], signal, info, context); return;
      case DECLINE_SETS_DEFAULT: {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_handler = SIG_DFL;
        sigaction(signal, &action, NULL);
        return;
      }
      case DECLINE_PUTS_EARLIER_BACK: sigaction(signal, &engine->earlier[signal], NULL); return;
    }
  }
  engine->own++;
  switch (engine->answer) {
    case ANSWER_REDIRECTS: go_on_at(context, leave[number]); return;
    case ANSWER_JUMPS: siglongjmp(*guests[number], 1);
    case ANSWER_CHANGES_A_REGISTER: context_load_from(context, &engine_readable); return;
    case ANSWER_MENDS: make_accessible(info->si_addr); return;
  }
}

#define HANDLER(number) \
  static void handler_##number(int signal, siginfo_t *info, void *context) { handle(number, signal, info, context); }
HANDLER(0)
HANDLER(1)
HANDLER(2)
static const signal_handler_t handlers[] = {handler_0, handler_1, handler_2};

void engine_install(int number) {
  fake_engine_t *const engine = &engines[number];
  for (int i = 0; i < SIGNALS; i++) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handlers[number];
    action.sa_flags = SA_SIGINFO | engine->flags;
    if (engine->masked != 0) sigaddset(&action.sa_mask, engine->masked);
    /* First: sigaction tells what was there when the handler is in place already, and another thread may be in it. */
    must(sigaction(engine_signals[i], NULL, &engine->earlier[engine_signals[i]]) == 0);
    must(sigaction(engine_signals[i], &action, NULL) == 0);
  }
}

int engine_uninstall(int number) {
  int good = 1;
  for (int i = 0; i < SIGNALS; i++) {
    good &= engine_is_in_place(number, engine_signals[i]);
    must(sigaction(engine_signals[i], &engines[number].earlier[engine_signals[i]], NULL) == 0);
  }
  return good;
}

int engine_is_in_place(int number, int signal) { return disposition_of(signal).sa_sigaction == handlers[number]; }

int engine_run(int number, const wasm_code_t *code, void *argument) {
  sigjmp_buf guest;
  sigjmp_buf *const before = guests[number];
  volatile int trapped = 0;
  guests[number] = &guest;
  if (sigsetjmp(guest, 1) == 0) {
    code->function(argument);
  } else {
    trapped = 1;
  }
  guests[number] = before;
  return trapped;
}
