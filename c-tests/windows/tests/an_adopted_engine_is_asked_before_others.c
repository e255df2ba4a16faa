/* An adopted engine's vectored handler is called by the library's, before a crash reporter's that was added in front of
 * it, with a full EXCEPTION_POINTERS; of the library's traps it does not hear. Its own handle for it stays good, before
 * and after wasmtrap_adopt_release, and its module in memory. */
#include <signal.h>
#include <stdlib.h>
#include <windows.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

enum { SIZE_OF_THE_STORE = 3, SIZE_OF_UD2 = 2 };
static volatile int seen, taken, late, reported;
static volatile DWORD last_code;
static unsigned char *page;
static void *last_address;

static int is_its(const CONTEXT *context) {
  return context->Rip == address_of(wasm_store.start) + wasm_store.fault;
}

static LONG CALLBACK engine(EXCEPTION_POINTERS *exception) {
  seen++;
  last_code = exception->ExceptionRecord->ExceptionCode;
  last_address = (void *)exception->ExceptionRecord->ExceptionInformation[1];
  if (!is_its(exception->ContextRecord)) return EXCEPTION_CONTINUE_SEARCH;
  taken++;
  exception->ContextRecord->Rip += SIZE_OF_THE_STORE;
  return EXCEPTION_CONTINUE_EXECUTION;
}

/* The second one of the same engine: for ud2. */
static LONG CALLBACK engines_other(EXCEPTION_POINTERS *exception) {
  if (exception->ContextRecord->Rip != address_of(wasm_unreachable.start) + wasm_unreachable.fault) {
    return EXCEPTION_CONTINUE_SEARCH;
  }
  late++;
  exception->ContextRecord->Rip += SIZE_OF_UD2;
  return EXCEPTION_CONTINUE_EXECUTION;
}

static LONG CALLBACK reporter(EXCEPTION_POINTERS *exception) {
  (void)exception;
  reported++;
  return EXCEPTION_CONTINUE_SEARCH;
}

static void store(void) {
  wasm_access_t access = {address_of(page), 1};
  wasm_store.function(&access);
}

static void engine_traps(const char *name) {
  taken = reported = 0;
  store();
  same(taken, 1, "%s: the engine's trap is its own", name);
  same(reported, 0, "%s: no crash reporter hears of it", name);
  same(last_code, EXCEPTION_ACCESS_VIOLATION, "%s: it is told what it is", name);
  ok(last_address == page, "%s: and where", name);
  wasmtrap_trap_t trap = host_new_trap();
  wasm_access_t access = {address_of(page), 1};
  same(wasmtrap_call(wasm_store.function, &access, &trap), WASMTRAP_OK, "%s: in a protected call, too", name);
}

static void we_trap(const char *name) {
  seen = reported = 0;
  ok(library_traps(), "%s: ours is ours", name);
  same(seen + reported, 0, "%s: nobody else hears of it", name);
}

/* The handler and a reporter in front of it; the library in front of both. */
static uint64_t adopt(void **handle, ULONG first) {
  uint64_t id;
  must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  *handle = AddVectoredExceptionHandler(first, engine);
  must(*handle != NULL && wasmtrap_adopt_end(0, &id) == WASMTRAP_OK);
  must(AddVectoredExceptionHandler(1, reporter) != NULL && wasmtrap_rearm() == WASMTRAP_OK);
  return id;
}

static void set_up(void) {
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  page = inaccessible_page();
}

static void describes(const char *words) {
  char *const text = described();
  contains(text, words, "wasmtrap_describe");
  free(text);
}

static void comes_and_goes(void *at_the_front) {
  set_up();
  void *handle;
  const uint64_t id = adopt(&handle, at_the_front != NULL);
  uint32_t displaced = 1;
  same(wasmtrap_check(&displaced), WASMTRAP_OK, "wasmtrap_check");
  same(displaced, 0, "the library is in front");
  describes("of client 0: vectored exception handlers: 1");
  engine_traps("adopted");
  we_trap("adopted");
  reported = 0;
  same(wasmtrap_adopt_release(id), WASMTRAP_OK, "wasmtrap_adopt_release");
  taken = 0;
  store();
  same(taken, 1, "released: it has its traps by its place in the list");
  same(reported, 1, "behind the reporter");
  we_trap("released");
  ok(RemoveVectoredExceptionHandler(handle) != 0, "it takes its handler away as always");

  /* Taken away without a release: the next call of the library's that looks sees it. */
  const uint64_t again = adopt(&handle, at_the_front != NULL);
  ok(again > id, "adopted once more");
  engine_traps("adopted once more");
  ok(RemoveVectoredExceptionHandler(handle) != 0, "its handler is taken away without a release");
  same(wasmtrap_rearm(), WASMTRAP_OK, "wasmtrap_rearm");
  describes("of client 0: vectored exception handlers: 0");
  install_handler(SIGSEGV, mending_handler, 0);
  seen = 0;
  store();
  same(seen, 0, "it is not called any more");
  same(mending_calls, 1, "the fault goes to who is there");
  same(wasmtrap_adopt_release(again), WASMTRAP_OK, "and it can be released");
}

static void with_two_handlers(void *unused) {
  (void)unused;
  set_up();
  uint64_t id;
  must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  must(AddVectoredExceptionHandler(1, engines_other) != NULL && AddVectoredExceptionHandler(0, engine) != NULL);
  must(wasmtrap_adopt_end(WASMTRAP_ADOPT_OWN_FAULTS, &id) == WASMTRAP_OK);
  must(AddVectoredExceptionHandler(1, reporter) != NULL && wasmtrap_rearm() == WASMTRAP_OK);
  describes("vectored exception handlers: 2");
  uint64_t before;
  must(wasmtrap_adopted_enter(id, &before) == WASMTRAP_OK);
  engine_traps("the second one of two");
  reported = 0;
  wasm_unreachable.function(NULL);
  same(late, 1, "the first one of two");
  same(reported, 0, "before the reporter");
  must(wasmtrap_adopted_leave(before) == WASMTRAP_OK);
  store();
  same(reported, 1, "without the mark, of its own faults only: by its place in the list");
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  reported = 0;
  store();
  same(reported, 1, "as after wasmtrap_shutdown");
}

static void in_a_dll(void *unused) {
  (void)unused;
  set_up();
  must(wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  const HMODULE dll = LoadLibraryA("engine.dll");
  must(dll != NULL);
  void *(*const start)(DWORD64) = (void *(*)(DWORD64))(void (*)(void))GetProcAddress(dll, "engine_start");
  LONG (*const calls)(void) = (LONG(*)(void))(void (*)(void))GetProcAddress(dll, "engine_calls");
  must(start != NULL && calls != NULL);
  void *const handle = start(address_of(wasm_store.start) + wasm_store.fault);
  uint64_t id;
  same(wasmtrap_adopt_end(0, &id), WASMTRAP_OK, "an engine in a DLL");
  must(AddVectoredExceptionHandler(1, reporter) != NULL && wasmtrap_rearm() == WASMTRAP_OK);
  for (int i = 0; i < 4; i++) FreeLibrary(dll);
  ok(GetModuleHandleA("engine.dll") == dll, "the DLL stays in memory");
  reported = 0;
  const LONG before = calls();
  store();
  same(calls(), before + 1, "its trap is its own");
  same(reported, 0, "and the reporter hears of none");
  we_trap("beside it");
  same(wasmtrap_adopt_release(id), WASMTRAP_OK, "wasmtrap_adopt_release");
  ok(RemoveVectoredExceptionHandler(handle) != 0, "its handle is good");
}

static void crash(void *unused) {
  (void)unused;
  set_up();
  void *handle;
  adopt(&handle, 1);
  wasm_load_in_leaf.function(&(wasm_access_t){address_of(page), 0});
}

int main(void) {
  child_passes(comes_and_goes, NULL, "an engine with its handler at the end");
  int front = 1;
  child_passes(comes_and_goes, &front, "an engine with its handler in front");
  child_passes(with_two_handlers, NULL, "an engine with two handlers");
  child_passes(in_a_dll, NULL, "an engine in a DLL");
  child_dies_at(SIGSEGV, address_of(wasm_load_in_leaf.start) + wasm_load_in_leaf.fault, crash, NULL,
                "a crash beside an adopted engine");
  return tap_done();
}
