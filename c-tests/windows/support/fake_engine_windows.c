/*
 * fake_engine.h for Windows: each engine has one vectored handler, at the end of the system's list, behind whoever else
 * is there. It declines by what it returns, and leaves a guest by a jump from where it has the thread go on: a vectored
 * handler must return.
 */
#include "fake_engine.h"

#include <windows.h>

#include "memory.h"
#include "tap.h"

static void *handles[ENGINES];
static __thread jmp_buf *volatile guests[ENGINES];

/* Without a frame to unwind to: of the code that is left there is no unwind information. */
#define LEAVE(number) \
  static void leave_##number(void) { longjmp(*guests[number], 1); }
LEAVE(0)
LEAVE(1)
LEAVE(2)
static void (*const leave[])(void) = {leave_0, leave_1, leave_2};

static int owns(const fake_engine_t *engine, size_t pc) {
  if (engine->owns_everything) return 1;
  for (size_t i = 0; i < engine->code_count; i++) {
    if (pc - (size_t)(uintptr_t)engine->codes[i].start < engine->codes[i].length) return 1;
  }
  return 0;
}

static LONG handle(int number, EXCEPTION_POINTERS *exception) {
  fake_engine_t *const engine = &engines[number];
  CONTEXT *const context = exception->ContextRecord;
  engine->calls++;
  engine->pc = (size_t)context->Rip;
  engine->code = (int)exception->ExceptionRecord->ExceptionCode;
  engine->address = (size_t)exception->ExceptionRecord->ExceptionInformation[1];
  if (!owns(engine, engine->pc)) return EXCEPTION_CONTINUE_SEARCH;
  engine->own++;
  switch (engine->answer) {
    case ANSWER_REDIRECTS:
    case ANSWER_JUMPS:
      context->Rip = (DWORD64)(uintptr_t)leave[number];
      context->Rsp = (context->Rsp & ~(DWORD64)15) - 128 - 8;
      break;
    case ANSWER_CHANGES_A_REGISTER: context->Rax = (DWORD64)(uintptr_t)&engine_readable; break;
    case ANSWER_MENDS: make_accessible((void *)exception->ExceptionRecord->ExceptionInformation[1]); break;
  }
  return EXCEPTION_CONTINUE_EXECUTION;
}

#define HANDLER(number) \
  static LONG CALLBACK handler_##number(EXCEPTION_POINTERS *exception) { return handle(number, exception); }
HANDLER(0)
HANDLER(1)
HANDLER(2)
static const PVECTORED_EXCEPTION_HANDLER handlers[] = {handler_0, handler_1, handler_2};

void engine_install(int number) {
  handles[number] = AddVectoredExceptionHandler(0, handlers[number]);
  must(handles[number] != NULL);
}

int engine_uninstall(int number) { return RemoveVectoredExceptionHandler(handles[number]) != 0; }

int engine_run(int number, const wasm_code_t *code, void *argument) {
  jmp_buf guest;
  jmp_buf *const before = guests[number];
  volatile int trapped = 0;
  guests[number] = &guest;
  if (_setjmp(guest, NULL) == 0) {
    code->function(argument);
  } else {
    trapped = 1;
  }
  guests[number] = before;
  return trapped;
}
