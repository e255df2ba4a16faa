/* While the kernel makes an exception of a thread, or serves a call of it, it has a copy of the registers of its own,
 * and what is set is lost. It says so in the flags of the context (CONTEXT_EXCEPTION_REPORTING and what goes with it).
 * Wine 8 says nothing of it, so that the flags are set here, in the function that the library has imported. */
#include <string.h>
#include <windows.h>

#include "imports.h"
#include "runs.h"

static const DWORD reporting = 0x80000000, exception_active = 0x08000000, service_active = 0x10000000;

static BOOL(WINAPI *real_get)(HANDLE thread, CONTEXT *context);
static BOOL(WINAPI *real_set)(HANDLE thread, const CONTEXT *context);

static DWORD told;
static int times_told, looks, refused, asked_for_it;

static BOOL WINAPI get_context(HANDLE thread, CONTEXT *context) {
  asked_for_it = (context->ContextFlags & CONTEXT_EXCEPTION_REQUEST) != 0;
  const BOOL done = real_get(thread, context);
  if (looks++ < times_told) context->ContextFlags |= told;
  return done;
}

static BOOL WINAPI set_context(HANDLE thread, const CONTEXT *context) {
  if (refused > 0) {
    refused--;
    SetLastError(ERROR_NOT_SUPPORTED);
    return FALSE;
  }
  return real_set(thread, context);
}

static wasm_access_t state;
static running_t running;

/* Has a guest go round in a loop. */
static void start(void) {
  memset(&state, 0, sizeof state);
  memset(&running, 0, sizeof running);
  running.function = wasm_spin.function;
  running.argument = &state;
  running_start(&running);
  wait_for(&state.address, 1);
}

/* The guest is interrupted; the system tells this in the first looks at its thread. */
static void while_it_tells(DWORD flags, int times, int expected, const char *name) {
  start();
  told = flags;
  times_told = times;
  looks = 0;
  same(wasmtrap_interrupt(running.run, WASMTRAP_CODE_INTERRUPT, 5), WASMTRAP_OK, "%s: wasmtrap_interrupt", name);
  same(looks, expected, "%s: looks at the thread", name);
  times_told = 0;
  running_join(&running);
  interrupted_with(running.status, &running.trap, WASMTRAP_CODE_INTERRUPT, 5, name);
}

/* The registers cannot be set, as under shadow stacks. */
static void where_it_refuses(void) {
  start();
  refused = 1;
  same(wasmtrap_interrupt(running.run, WASMTRAP_CODE_INTERRUPT, 6), WASMTRAP_ERR_SYSTEM, "refused");
  contains(wasmtrap_last_error(), "SetThreadContext", "by what, says the sentence");
  same(wasmtrap_interrupt(running.run, WASMTRAP_CODE_INTERRUPT, 7), WASMTRAP_OK, "once more");
  running_join(&running);
  interrupted_with(running.status, &running.trap, WASMTRAP_CODE_INTERRUPT, 7, "the guest ends by that");
}

int main(void) {
  runs_init();
  host_register_code(&wasm_spin);
  replace_import("GetThreadContext", (void (*)(void))get_context, (void (**)(void))&real_get);
  replace_import("SetThreadContext", (void (*)(void))set_context, (void (**)(void))&real_set);
  while_it_tells(0, 0, 1, "a system that does not tell");
  ok(asked_for_it, "is asked");
  while_it_tells(reporting, 9, 1, "nothing is under way");
  while_it_tells(reporting | exception_active, 9, 10, "an exception is being made");
  while_it_tells(reporting | service_active, 9, 10, "a call is being served");
  while_it_tells(exception_active | service_active, 9, 1, "flags of a system that has not answered");
  where_it_refuses();
  return tap_done();
}
