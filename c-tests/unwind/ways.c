#include "ways.h"

#include <setjmp.h>
#include <signal.h>
#include <unwind.h>

#include "handlers.h"
#include "host.h"

#define IN_RANGE __attribute__((section("registered_code"), noinline))
extern const unsigned char __start_registered_code[], __stop_registered_code[];

static unsigned char *page;
static wasmtrap_trap_t record;

IN_RANGE static uint64_t load(const volatile uint64_t *place) { return *place + 1; }
__attribute__((noinline)) static uint64_t load_elsewhere(const volatile uint64_t *place) { return *place + 1; }

static void run_load(void *place) { *(volatile uint64_t *)&record.payload = load(place) + 1; }
static void run_raise(void *unused) {
  (void)unused;
  wasmtrap_raise(WASMTRAP_CODE_USER, 1);
}
static void run_nothing(void *unused) { (void)unused; }

static void trap(void) { must(wasmtrap_call(run_load, page, &record) == WASMTRAP_TRAPPED); }
static void fault(void) {
  load_elsewhere((const volatile uint64_t *)page);
  must(mending_calls == 1);
}
static void raise_a_trap(void) { must(wasmtrap_call(run_raise, NULL, &record) == WASMTRAP_TRAPPED); }
static void call(void) { must(wasmtrap_call(run_nothing, NULL, &record) == WASMTRAP_OK); }
static void call_of_nothing(void) { must(wasmtrap_call(NULL, NULL, &record) == WASMTRAP_ERR_INVALID_ARGUMENT); }

/* An exception that no one catches ends in a jump of its own, as a cancelled thread does. */
static jmp_buf outside;
static struct _Unwind_Exception exception;
static volatile uintptr_t outside_frame;

static _Unwind_Reason_Code stop(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                struct _Unwind_Exception *object, struct _Unwind_Context *context, void *unused) {
  (void)version;
  (void)actions;
  (void)class;
  (void)object;
  (void)unused;
  if (_Unwind_GetCFA(context) > outside_frame) longjmp(outside, 1);
  return _URC_NO_REASON;
}
static void run_throw(void *unused) {
  (void)unused;
  _Unwind_ForcedUnwind(&exception, stop, NULL);
}
static void throw_an_exception(void) {
  outside_frame = (uintptr_t)__builtin_frame_address(0);
  if (setjmp(outside) == 0) {
    wasmtrap_call(run_throw, NULL, &record);
    must(!"the exception has passed");
  }
}

const way_t ways[] = {
    {"a trap over the default action", NO_HANDLER, 1, trap, 300},
    {"a trap over a handler on the alternate stack", SA_ONSTACK, 1, trap, 300},
    {"a trap over a handler on the interrupted stack", 0, 1, trap, 300},
    {"a fault that a handler on the alternate stack gets", SA_ONSTACK, 1, fault, 300},
    {"a fault that a handler on the interrupted stack gets", 0, 1, fault, 300},
    {"a raise", NO_HANDLER, 1, raise_a_trap, 50},
    {"a call that returns", NO_HANDLER, 1, call, 30},
    {"a thread's first call", NO_HANDLER, 0, call, 100},
    {"a call that is refused", NO_HANDLER, 1, call_of_nothing, 20},
    {"an exception", NO_HANDLER, 1, throw_an_exception, 50},
};
const size_t way_count = sizeof ways / sizeof *ways;

__attribute__((noinline)) void stepping_begins(void) { must(raise(SIGSTOP) == 0); }
__attribute__((noinline)) void stepping_ends(void) { must(raise(SIGSTOP) == 0); }

void take_way(const way_t *way) {
  if (way->handler != NO_HANDLER) install_handler(SIGSEGV, mending_handler, way->handler);
  host_init();
  wasmtrap_code_desc_t range = {0};
  range.struct_size = sizeof range;
  range.start = __start_registered_code;
  range.length = (size_t)(__stop_registered_code - __start_registered_code);
  uint64_t id;
  must(wasmtrap_code_register(&range, &id) == WASMTRAP_OK);
  page = inaccessible_page();
  record = host_new_trap();
  if (way->attached) {
    must(wasmtrap_thread_attach() == WASMTRAP_OK);
    call();
  }
  stepping_begins();
  way->go();
  stepping_ends();
}
