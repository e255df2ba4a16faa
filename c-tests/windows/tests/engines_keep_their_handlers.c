/* An engine with a vectored handler of its own, in the manner of those that there are, not adopted: its traps are its
 * own and ours are ours, whoever was first. A fault handler that calls the engine's puts that before a crash reporter,
 * too. A crash stays a crash, in its place. */
#include <signal.h>
#include <string.h>
#include <windows.h>

#include "host.h"
#include "process.h"

/* The engine's code is wasm_store, which is not registered. Its handler passes over the instruction. */
enum { SIZE_OF_THE_STORE = 3 };
static volatile int taken, seen, reported;
static unsigned char *page;

static LONG CALLBACK engine(EXCEPTION_POINTERS *exception) {
  seen++;
  if (exception->ContextRecord->Rip != address_of(wasm_store.start) + wasm_store.fault) {
    return EXCEPTION_CONTINUE_SEARCH;
  }
  taken++;
  exception->ContextRecord->Rip += SIZE_OF_THE_STORE;
  return EXCEPTION_CONTINUE_EXECUTION;
}

static LONG CALLBACK reporter(EXCEPTION_POINTERS *exception) {
  (void)exception;
  reported++;
  return EXCEPTION_CONTINUE_SEARCH;
}

static void engine_traps(const char *name) {
  taken = 0;
  wasm_access_t access = {address_of(page), 1};
  wasm_store.function(&access);
  same(taken, 1, "%s: the engine's trap is its own", name);
  wasmtrap_trap_t trap = host_new_trap();
  same(wasmtrap_call(wasm_store.function, &access, &trap), WASMTRAP_OK, "%s: in a protected call, too", name);
  same(taken, 2, "%s: as it was", name);
}

static void we_trap(const char *name) {
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, name);
}

static void set_up(void) {
  host_init();
  host_register_code(&wasm_load);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
}

static void live_together(ULONG first, int engine_is_earlier, const char *name) {
  page = inaccessible_page();
  void *handle = NULL;
  if (engine_is_earlier) handle = AddVectoredExceptionHandler(first, engine);
  set_up();
  if (!engine_is_earlier) handle = AddVectoredExceptionHandler(first, engine);
  must(handle != NULL);
  engine_traps(name);
  we_trap(name);
  must(wasmtrap_rearm() == WASMTRAP_OK);
  seen = 0;
  we_trap("in front of it after wasmtrap_rearm");
  same(seen, 0, "%s: it does not see ours", name);
  engine_traps(name);
  must(RemoveVectoredExceptionHandler(handle) != 0);
  must(wasmtrap_shutdown() == WASMTRAP_OK);
}

static wasmtrap_verdict_t calls_the_engines(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  CONTEXT *const context = fault->ucontext;
  EXCEPTION_POINTERS exception = {fault->siginfo, context};
  if (engine(&exception) != EXCEPTION_CONTINUE_EXECUTION) return WASMTRAP_VERDICT_FORWARD;
  /* In the order of wasmtrap_registers_t. */
  const uint64_t general[] = {context->Rax, context->Rdx, context->Rcx, context->Rbx, context->Rsi, context->Rdi,
                              context->Rbp, context->Rsp, context->R8,  context->R9,  context->R10, context->R11,
                              context->R12, context->R13, context->R14, context->R15};
  memcpy(fault->registers->general, general, sizeof general);
  fault->registers->pc = context->Rip;
  fault->registers->flags = context->EFlags;
  return WASMTRAP_VERDICT_RESUME;
}

static void hand_over(void) {
  set_up();
  must(AddVectoredExceptionHandler(1, engine) != NULL);
  must(AddVectoredExceptionHandler(1, reporter) != NULL);
  must(wasmtrap_rearm() == WASMTRAP_OK);
  reported = 0;
  engine_traps("behind a reporter");
  same(reported, 2, "which sees the engine's traps");
  must(wasmtrap_set_fault_handler(calls_the_engines, NULL) == WASMTRAP_OK);
  reported = 0;
  engine_traps("called by a fault handler");
  we_trap("ours");
  same(reported, 0, "and the reporter sees none");
}

static void crash(void *unused) {
  (void)unused;
  page = inaccessible_page();
  hand_over();
  wasm_load_in_leaf.function(&(wasm_access_t){address_of(page), 0});
}

int main(void) {
  static const char *const names[] = {"earlier, at the end", "earlier, in front", "later, at the end",
                                      "later, in front"};
  for (int i = 0; i < 4; i++) live_together((ULONG)i % 2, i < 2, names[i]);
  page = inaccessible_page();
  child_dies_at(SIGSEGV, address_of(wasm_load_in_leaf.start) + wasm_load_in_leaf.fault, crash, NULL,
                "a crash beside all of them");
  return tap_done();
}
