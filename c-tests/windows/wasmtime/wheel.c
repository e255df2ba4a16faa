/* Wasmtime as its wheel on PyPI has it, a DLL with vectored handlers of its own: adopted, it has each of its traps
 * before a crash reporter that was added in front of it, on several threads, beside traps of the library's; released,
 * it takes its handlers away as always; and crashes stay crashes. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "host.h"
#include "meeting.h"
#include "process.h"

/* What of wasm.h, wasmtime.h and their like (Wasmtime 50) is used here. */
typedef struct instance_t {
  uint64_t store;
  size_t index;
} instance_t;
typedef struct item_t {
  uint64_t kind;
  uint64_t of[8];
} item_t;
typedef struct value_t {
  uint8_t kind;
  union {
    int32_t i32;
    uint64_t of[3];
  } of;
} value_t;
enum { STACK_OVERFLOW, MEMORY_OUT_OF_BOUNDS, INTEGER_OVERFLOW = 6, DIVISION_BY_ZERO, UNREACHABLE = 9 };

#define FUNCTIONS(DO)                                                                                                  \
  DO(void *, wasm_engine_new, (void))                                                                                  \
  DO(void, wasm_engine_delete, (void *))                                                                               \
  DO(void *, wasmtime_store_new, (void *engine, void *data, void *finalizer))                                          \
  DO(void, wasmtime_store_delete, (void *))                                                                            \
  DO(void *, wasmtime_store_context, (void *store))                                                                    \
  DO(void *, wasmtime_module_new, (void *engine, const uint8_t *wasm, size_t size, void **module))                     \
  DO(void, wasmtime_module_delete, (void *))                                                                           \
  DO(void *, wasmtime_instance_new,                                                                                    \
     (void *context, const void *module, const void *imports, size_t count, instance_t *instance, void **trap))        \
  DO(_Bool, wasmtime_instance_export_get,                                                                              \
     (void *context, const instance_t *instance, const char *name, size_t length, item_t *item))                       \
  DO(void *, wasmtime_func_call,                                                                                       \
     (void *context, const void *function, const value_t *arguments, size_t count, value_t *results,                   \
      size_t result_count, void **trap))                                                                               \
  DO(_Bool, wasmtime_trap_code, (const void *trap, uint8_t *code))                                                     \
  DO(void, wasm_trap_delete, (void *))
#define DECLARE(result, name, arguments) static result(*name) arguments;
FUNCTIONS(DECLARE)

static void load_wasmtime(void) {
  const HMODULE dll = LoadLibraryA(getenv("WASMTIME_DLL"));
  if (dll == NULL) tap_note("%s: error %lu", getenv("WASMTIME_DLL"), GetLastError());
  must(dll != NULL);
#define FIND(result, name, arguments) \
  must((name = (result(*) arguments)(void (*)(void))GetProcAddress(dll, #name)) != NULL);
  FUNCTIONS(FIND)
}

/* (module (memory 1)
 *   (func (export "load") (drop (i32.load (i32.const 131072))))
 *   (func (export "divide") (param i32 i32) (drop (i32.div_s (local.get 0) (local.get 1))))
 *   (func (export "unreachable") unreachable)
 *   (func $o (export "overflow") call $o)
 *   (func (export "return"))) */
static const uint8_t wasm[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x09, 0x02, 0x60, 0x00, 0x00, 0x60, 0x02, 0x7f, 0x7f,
    0x00, 0x03, 0x06, 0x05, 0x00, 0x01, 0x00, 0x00, 0x00, 0x05, 0x03, 0x01, 0x00, 0x01, 0x07, 0x33, 0x05, 0x04,
    0x6c, 0x6f, 0x61, 0x64, 0x00, 0x00, 0x06, 0x64, 0x69, 0x76, 0x69, 0x64, 0x65, 0x00, 0x01, 0x0b, 0x75, 0x6e,
    0x72, 0x65, 0x61, 0x63, 0x68, 0x61, 0x62, 0x6c, 0x65, 0x00, 0x02, 0x08, 0x6f, 0x76, 0x65, 0x72, 0x66, 0x6c,
    0x6f, 0x77, 0x00, 0x03, 0x06, 0x72, 0x65, 0x74, 0x75, 0x72, 0x6e, 0x00, 0x04, 0x0a, 0x21, 0x05, 0x0a, 0x00,
    0x41, 0x80, 0x80, 0x08, 0x28, 0x02, 0x00, 0x1a, 0x0b, 0x08, 0x00, 0x20, 0x00, 0x20, 0x01, 0x6d, 0x1a, 0x0b,
    0x03, 0x00, 0x00, 0x0b, 0x04, 0x00, 0x10, 0x03, 0x0b, 0x02, 0x00, 0x0b};

static void *engine, *module;
static volatile LONG reported;

static LONG CALLBACK reporter(EXCEPTION_POINTERS *exception) {
  (void)exception;
  InterlockedIncrement(&reported);
  return EXCEPTION_CONTINUE_SEARCH;
}

/* A store with an instance, for one thread. */
typedef struct guest_t {
  void *store, *context;
  instance_t instance;
} guest_t;

static guest_t guest_new(void) {
  guest_t guest;
  void *trap = NULL;
  must((guest.store = wasmtime_store_new(engine, NULL, NULL)) != NULL);
  guest.context = wasmtime_store_context(guest.store);
  must(wasmtime_instance_new(guest.context, module, NULL, 0, &guest.instance, &trap) == NULL && trap == NULL);
  return guest;
}

/* The code of the trap that a call of an export came to; -1: none. */
static int call(const guest_t *guest, const char *name, int32_t dividend, int32_t divisor) {
  item_t item;
  memset(&item, 0, sizeof item);
  must(wasmtime_instance_export_get(guest->context, &guest->instance, name, strlen(name), &item));
  const value_t arguments[] = {{.of.i32 = dividend}, {.of.i32 = divisor}};
  void *trap = NULL;
  const size_t count = strcmp(name, "divide") == 0 ? 2 : 0;
  must(wasmtime_func_call(guest->context, item.of, arguments, count, NULL, 0, &trap) == NULL);
  if (trap == NULL) return -1;
  uint8_t code = UINT8_MAX;
  must(wasmtime_trap_code(trap, &code));
  wasm_trap_delete(trap);
  return code;
}

static const struct {
  const char *name;
  int32_t dividend, divisor;
  int code;
} ways[] = {{"load", 0, 0, MEMORY_OUT_OF_BOUNDS},    {"divide", 1, 0, DIVISION_BY_ZERO},
            {"divide", INT32_MIN, -1, INTEGER_OVERFLOW}, {"unreachable", 0, 0, UNREACHABLE},
            {"overflow", 0, 0, STACK_OVERFLOW},      {"return", 0, 0, -1}};
enum { WAYS = sizeof ways / sizeof *ways, THREADS = 3, ROUNDS = 50 };

static int wrong_ways(const guest_t *guest) {
  int wrong = 0;
  for (int i = 0; i < WAYS; i++) {
    if (call(guest, ways[i].name, ways[i].dividend, ways[i].divisor) != ways[i].code) wrong++;
  }
  return wrong;
}

static void start_engine(void) {
  must((engine = wasm_engine_new()) != NULL);
  must(wasmtime_module_new(engine, wasm, sizeof wasm, &module) == NULL);
}

static uint64_t adopt(void) {
  uint64_t id;
  load_wasmtime();
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK && wasmtrap_adopt_begin(0) == WASMTRAP_OK);
  start_engine();
  same(wasmtrap_adopt_end(0, &id), WASMTRAP_OK, "Wasmtime is adopted");
  must(AddVectoredExceptionHandler(1, reporter) != NULL && wasmtrap_rearm() == WASMTRAP_OK);
  return id;
}

static guest_t guest_of_the_call;
static int wrong_in_the_call;

static void in_a_call(void *unused) {
  (void)unused;
  wrong_in_the_call = wrong_ways(&guest_of_the_call);
}

static meeting_t start = MEETING_OF(THREADS);

static void *run_thread(void *wrong_out) {
  int wrong = 0;
  const guest_t guest = guest_new();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  meet(&start);
  for (int i = 0; i < ROUNDS; i++) wrong += wrong_ways(&guest) + !library_traps();
  wasmtime_store_delete(guest.store);
  *(int *)wrong_out = wrong;
  return NULL;
}

static void has_its_traps(void *unused) {
  (void)unused;
  const uint64_t id = adopt();
  const guest_t guest = guest_new();
  reported = 0;
  for (int i = 0; i < WAYS; i++) {
    same(call(&guest, ways[i].name, ways[i].dividend, ways[i].divisor), ways[i].code, "%s", ways[i].name);
  }
  ok(library_traps(), "the library's trap");
  guest_of_the_call = guest;
  wasmtrap_trap_t trap = host_new_trap();
  same(wasmtrap_call(in_a_call, NULL, &trap), WASMTRAP_OK, "inside of a protected call");
  same(wrong_in_the_call, 0, "they are its own, too");
  pthread_t threads[THREADS];
  int wrong[THREADS];
  for (int i = 0; i < THREADS; i++) must(pthread_create(&threads[i], NULL, run_thread, &wrong[i]) == 0);
  for (int i = 0; i < THREADS; i++) {
    must(pthread_join(threads[i], NULL) == 0);
    same(wrong[i], 0, "thread %d: both have their traps", i);
  }
  same(reported, 0, "the crash reporter has heard of none");
  same(wasmtrap_adopt_release(id), WASMTRAP_OK, "wasmtrap_adopt_release");
  same(wrong_ways(&guest), 0, "it has them without adoption");
  ok(reported > 0, "and the crash reporter hears of those that are exceptions");
  ok(library_traps(), "the library's trap");
  wasmtime_store_delete(guest.store);
  wasmtime_module_delete(module);
  wasm_engine_delete(engine);
  ok(library_traps(), "the library's trap when its engine has gone");
}

static void crash(void *unused) {
  (void)unused;
  adopt();
  wasm_load_in_leaf.function(&(wasm_access_t){address_of(inaccessible_page()), 0});
}

static void not_adopted(void *first) {
  load_wasmtime();
  if (first != NULL) start_engine();
  host_init();
  if (first == NULL) start_engine();
  const guest_t guest = guest_new();
  same(wrong_ways(&guest), 0, "its traps are its own");
  ok(library_traps(), "ours are ours");
}

int main(void) {
  int first = 1;
  child_passes(has_its_traps, NULL, "adopted");
  child_passes(not_adopted, &first, "not adopted, there before the library");
  child_passes(not_adopted, NULL, "not adopted, there after the library");
  child_dies_at(SIGSEGV, address_of(wasm_load_in_leaf.start) + wasm_load_in_leaf.fault, crash, NULL,
                "a crash beside it");
  return tap_done();
}
