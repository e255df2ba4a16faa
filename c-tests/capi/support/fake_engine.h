/*
 * Engines with POSIX signal handlers of their own, as Wasmtime or Wasmer have them: a handler that knows its engine's
 * code, makes traps of faults in it, and hands everything else to the handler that it has found. Nothing in them knows
 * of the library.
 */
#ifndef FAKE_ENGINE_H
#define FAKE_ENGINE_H

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

#include "wasm_code.h"
#include "wasmtrap.h"

/* What a handler does about a fault of its engine's. */
typedef enum engine_answer_t {
  /* Has the thread go on in a function that leaves the guest. */
  ANSWER_REDIRECTS,
  /* Leaves the guest by siglongjmp, from the handler. */
  ANSWER_JUMPS,
  /* Changes the register that the address is in, and has the instruction run again. */
  ANSWER_CHANGES_A_REGISTER,
  /* Changes nothing of the context: the page becomes accessible. */
  ANSWER_MENDS
} engine_answer_t;
extern const char *const answer_names[];
enum { ANSWERS = ANSWER_MENDS + 1 };

/* What it does about any other. */
typedef enum engine_decline_t {
  DECLINE_CALLS_EARLIER,
  /* sigaction with SIG_DFL, and returns. */
  DECLINE_SETS_DEFAULT,
  /* sigaction with what it has found, and returns. */
  DECLINE_PUTS_EARLIER_BACK
} engine_decline_t;
extern const char *const decline_names[];
enum { DECLINES = DECLINE_PUTS_EARLIER_BACK + 1 };

enum { ENGINES = 3, ENGINE_CODES = 4 };

typedef struct fake_engine_t {
  engine_answer_t answer;
  engine_decline_t decline;
  /* Of its sigaction, besides SA_SIGINFO, and a signal that its mask has (0: none). */
  int flags, masked;
  /* Its code. */
  wasm_code_t codes[ENGINE_CODES];
  size_t code_count;
  int owns_everything;
  /* What it has found. */
  struct sigaction earlier[NSIG];
  /* How often its handler was called, how often for faults of its own, and what it saw the last time. */
  volatile int calls, own;
  volatile int signal, code, on_alternate_stack, masked_now, itself_blocked, usr1_blocked;
  volatile size_t address, pc;
  /* The stack pointer of the code that faulted, and how far below it its handler ran. */
  volatile size_t sp, below;
} fake_engine_t;
/* `below`, where it ran on the stack of that code, is less: an alternate stack, and that of the library's callbacks, is
 * further away. */
enum { ENGINE_NEAR = 256 * 1024 };

extern fake_engine_t engines[ENGINES];
/* Where ANSWER_CHANGES_A_REGISTER has the access go. */
extern const uint64_t engine_readable;

/* Installs the handlers of one, of SIGSEGV, SIGBUS, SIGILL and SIGFPE. */
void engine_install(int number);
/* The same, and has the library adopt it for a client, with flags of wasmtrap_adopt_end: its id. */
uint64_t engine_adopt(int number, wasmtrap_client_t client, uint32_t flags);
/* Takes them away as Wasmtime does: whether each was in place. What it has found is there then. */
int engine_uninstall(int number);
/* Whether a signal's disposition is its handler. */
int engine_is_in_place(int number, int signal);
/* More code for it; a copy of its own. */
const wasm_code_t *engine_compile(int number, const wasm_code_t *code);
/* From now on all code is its own. */
void engine_owns_everything(int number);
/* Runs its code: whether it has trapped. Only one guest a thread at a time, per engine. */
int engine_run(int number, const wasm_code_t *code, void *argument);
/* The same with a load of a page that must not be touched: whether the engine has made of it what it is to. */
int engine_traps(int number);

#endif
