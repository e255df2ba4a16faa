/* An unwinder that a handler calls goes from the handler to the code that faulted, and on from there, as it does where
 * the fault is a signal: engines take their traps' backtraces so. */
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unwind.h>

#include "backend.h"
#include "cases.h"
#include "context.h"
#include "handlers.h"
#include "memory.h"

enum { FRAMES = 64 };
/* The registers that functions keep, by DWARF's numbers, and a copy of them. */
#if defined(__x86_64__)
static const int kept[] = {3, 6, 12, 13, 14, 15};
#define COPY_KEPT(place)                                                                                     \
  __asm__ volatile("mov %%rbx, (%0)\n\tmov %%rbp, 8(%0)\n\tmov %%r12, 16(%0)\n\tmov %%r13, 24(%0)\n\t"     \
                   "mov %%r14, 32(%0)\n\tmov %%r15, 40(%0)" ::"a"(place) : "memory")
#else
static const int kept[] = {19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29};
#define COPY_KEPT(place)                                                                                     \
  __asm__ volatile("stp x19, x20, [%0]\n\tstp x21, x22, [%0, #16]\n\tstp x23, x24, [%0, #32]\n\t"           \
                   "stp x25, x26, [%0, #48]\n\tstp x27, x28, [%0, #64]\n\tstr x29, [%0, #80]" ::"r"(place) \
                   : "memory")
#endif
enum { KEPT = sizeof kept / sizeof *kept };

/* From the code that faulted outward. */
typedef struct backtrace_t {
  size_t pc;
  int count, before, is_exact;
  uintptr_t registers[KEPT];
  struct {
    uintptr_t pc, cfa;
  } frames[FRAMES];
} backtrace_t;

static backtrace_t last;
static uintptr_t registers_of_the_guest[KEPT];

static _Unwind_Reason_Code take(struct _Unwind_Context *context, void *backtrace_out) {
  backtrace_t *const backtrace = backtrace_out;
  int is_exact = 0;
  const uintptr_t pc = _Unwind_GetIPInfo(context, &is_exact);
  if (backtrace->count == 0 && pc != backtrace->pc) {
    backtrace->before++;
    return _URC_NO_REASON;
  }
  if (backtrace->count == FRAMES) return _URC_END_OF_STACK;
  if (backtrace->count == 0) {
    backtrace->is_exact = is_exact;
    for (int i = 0; i < KEPT; i++) backtrace->registers[i] = _Unwind_GetGR(context, kept[i]);
  }
  backtrace->frames[backtrace->count].pc = pc;
  backtrace->frames[backtrace->count].cfa = _Unwind_GetCFA(context);
  backtrace->count++;
  return _URC_NO_REASON;
}

static void take_backtrace(size_t pc) {
  memset(&last, 0, sizeof last);
  last.pc = pc;
  _Unwind_Backtrace(take, &last);
}

/* Handlers that make the page accessible, so that the access is made again. */
static void handler(int signal, siginfo_t *info, void *context) {
  (void)signal;
  take_backtrace(context_pc(context));
  make_accessible(info->si_addr);
}

static wasmtrap_verdict_t fault_handler(wasmtrap_fault_t *fault, void *data) {
  (void)data;
  take_backtrace((size_t)fault->pc);
  make_accessible((void *)(uintptr_t)fault->fault_address);
  return WASMTRAP_VERDICT_RESUME;
}

/* Code that faults below two frames, each with something in registers that are kept. */
static __attribute__((noinline)) int innermost(volatile unsigned char *page) {
  COPY_KEPT(registers_of_the_guest);
  return *page + 1;
}
static __attribute__((noinline)) int middle(volatile unsigned char *page, int a) {
  const int b = innermost(page);
  return b * a + innermost(page) + a;
}
static __attribute__((noinline)) int outermost(volatile unsigned char *page, int a, int b) {
  const int c = middle(page, a);
  return c * b + middle(page, b) + a;
}

static void install_both(int flags) {
  install_handler(SIGSEGV, handler, flags);
  install_handler(SIGBUS, handler, flags);
}

static void by_signal(void) { install_both(SA_ONSTACK); }

static void adopt(int flags) {
  uint64_t id;
  init_mach_ports(0);
  must(wasmtrap_adopt_begin(WASMTRAP_CLIENT_DEFAULT) == WASMTRAP_OK);
  install_both(flags);
  must(wasmtrap_adopt_end(0, &id) == WASMTRAP_OK);
}

static void adopt_plainly(void) { adopt(SA_ONSTACK); }
static void adopt_on_the_guests_stack(void) { adopt(0); }

static void set_fault_handler(void) {
  init_mach_ports(0);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(fault_handler, NULL) == WASMTRAP_OK);
}

/* The same fault twice, from one place: first as a signal and without the library. */
static void compare(void (*prepare)(void)) {
  static backtrace_t backtraces[2];
  for (volatile int i = 0; i < 2; i++) {
    (i == 0 ? by_signal : prepare)();
    must(outermost(inaccessible_page(), 3, 5) > 0);
    backtraces[i] = last;
    same(last.is_exact, 1, "the innermost frame is where the fault was, which is no call");
    for (int j = 0; j < KEPT; j++) {
      same(last.registers[j], registers_of_the_guest[j], "register %d of that frame, time %d", kept[j], i);
    }
  }
  const backtrace_t *const expected = &backtraces[0], *const found = &backtraces[1];
  ok(expected->count >= 5, "a signal handler's backtrace has %d frames from the fault on", expected->count);
  same(found->count, expected->count, "and so many are in this one, after %d of the handler", found->before);
  for (int i = 0; i < expected->count && i < found->count; i++) {
    same(found->frames[i].pc, expected->frames[i].pc, "the program counter, frame %d", i);
    same(found->frames[i].cfa, expected->frames[i].cfa, "the frame's address, frame %d", i);
  }
}

static void of_an_adopted_engine(void) { compare(adopt_plainly); }
static void on_the_guests_stack(void) { compare(adopt_on_the_guests_stack); }
static void of_the_host(void) { compare(set_fault_handler); }

int main(int argc, char **argv) {
  static const test_case_t cases[] = {
      {"an adopted engine's handler", of_an_adopted_engine, 0},
      {"one on the stack of the fault", on_the_guests_stack, 0},
      {"the host's fault handler", of_the_host, 0},
  };
  return run_cases(argc, argv, CASES(cases));
}
