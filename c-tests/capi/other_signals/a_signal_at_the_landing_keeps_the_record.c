/* A signal that has waited for the end of the library's handler is delivered where the trap lands, before the call has
 * handed out its record. Its handler may make protected calls of its own, which trap: each call gets its own record. So
 * it is however deep that goes, and where such a handler leaves by a jump. The signal mask is what it was. */
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "host.h"
#include "process.h"

enum { DEEPEST = 9, FRAMES = 8, JUMPS = 20 };

/* A load at each depth, with code and address of its own. */
static wasm_code_t loads[DEEPEST + 1];
static uint64_t ids[DEEPEST + 1];
static unsigned char *page;
static int depth_wanted;
static volatile int depth, wrong_masks;
static volatile sig_atomic_t raises;
/* What the calls in handlers have handed out; they are judged when all is over. */
static wasmtrap_status_t statuses[DEEPEST + 1];
static wasmtrap_trap_t traps[DEEPEST + 1];
static uintptr_t frames[DEEPEST + 1][FRAMES];
static sigset_t usual;

/* Blocked while the fault handler runs, so that the signal waits for the landing. The tables make the trap. */
static wasmtrap_verdict_t raise_and_leave_it(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  if (raises > 0) {
    raises--;
    must(raise(SIGUSR1) == 0);
  }
  return WASMTRAP_VERDICT_FORWARD;
}

static void call_at(int at) {
  wasm_access_t access = {address_of(page + at * 16), 0};
  traps[at] = host_new_trap();
  traps[at].frames = frames[at];
  traps[at].frames_capacity = FRAMES;
  statuses[at] = wasmtrap_call(loads[at].function, &access, &traps[at]);
}

static int mask_is(const sigset_t *expected) {
  sigset_t mask;
  must(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
  for (int signal = 1; signal < 32; signal++) {
    if (sigismember(&mask, signal) != sigismember(expected, signal)) return 0;
  }
  return 1;
}

static void call_deeper(int signal) {
  (void)signal;
  const int at = ++depth;
  sigset_t before;
  must(pthread_sigmask(SIG_SETMASK, NULL, &before) == 0);
  if (at <= depth_wanted) call_at(at);
  if (!mask_is(&before)) wrong_masks++;
}

static void install(void (*handler)(int), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_NODEFER | flags;
  must(sigaction(SIGUSR1, &action, NULL) == 0);
}

static void set_up(void) {
  host_init_with_signals();
  must(wasmtrap_set_fault_handler(raise_and_leave_it, NULL) == WASMTRAP_OK);
  page = inaccessible_page();
  for (int at = 0; at <= DEEPEST; at++) {
    loads[at] = wasm_compile(&wasm_load);
    ids[at] = host_register_code_with_site(&loads[at], WASMTRAP_CODE_USER + (wasmtrap_code_t)at);
  }
  must(pthread_sigmask(SIG_SETMASK, NULL, &usual) == 0);
}

static int has_own_record(int at) {
  const wasmtrap_trap_t *const trap = &traps[at];
  int good = trapped_with(statuses[at], trap, WASMTRAP_CODE_USER + (wasmtrap_code_t)at, "its own code");
  good &= same(trap->pc, wasm_fault_pc(&loads[at]), "its own pc at depth %d", at);
  good &= same(trap->fault_address, address_of(page + at * 16), "its own address at depth %d", at);
  good &= same(trap->code_id, ids[at], "its own range at depth %d", at);
  good &= same(trap->struct_size, sizeof *trap, "a whole record at depth %d", at);
  good &= ok(trap->frame_count > 0 && frames[at][0] == trap->pc, "its own frames at depth %d", at);
  return good;
}

static void nest(void *argument) {
  set_up();
  depth_wanted = *(const int *)argument;
  /* Twice, so that what the first round has left behind would be seen. */
  for (int round = 0; round < 2; round++) {
    depth = 0;
    raises = depth_wanted;
    memset(traps, 0, sizeof traps);
    call_at(0);
    same(depth, depth_wanted, "each signal was delivered");
    for (int at = 0; at <= depth_wanted; at++) has_own_record(at);
    same(wrong_masks, 0, "the handlers' signal masks are what they were");
    ok(mask_is(&usual), "and so is the thread's");
  }
}

static sigjmp_buf out;

static void jump_out(int signal) {
  (void)signal;
  siglongjmp(out, 1);
}

/* A call of its own for each number of levels, so that none takes the record that another has left. */
__attribute__((noinline)) static void call_below(int levels) {
  if (levels == 0) {
    call_at(0);
  } else {
    call_below(levels - 1);
  }
  __asm__ volatile("");
}

/* The call is left between its trap and its record, again and again; those that are not left get theirs. */
static void leave_by_jumps(void *unused) {
  (void)unused;
  set_up();
  install(jump_out, 0);
  for (volatile int i = 0; i < JUMPS; i++) {
    raises = 1;
    if (sigsetjmp(out, 1) == 0) {
      call_below(i % 7);
      must(0);
    }
  }
  install(call_deeper, SA_ONSTACK);
  depth_wanted = 3;
  depth = 0;
  raises = depth_wanted;
  call_at(0);
  same(depth, depth_wanted, "each signal was delivered");
  for (int at = 0; at <= depth_wanted; at++) has_own_record(at);
  ok(mask_is(&usual), "the signal mask is what it was");
}

static void nest_on_own_stack(void *depth_of_all) {
  install(call_deeper, 0);
  nest(depth_of_all);
}

static void nest_on_signal_stack(void *depth_of_all) {
  install(call_deeper, SA_ONSTACK);
  nest(depth_of_all);
}

int main(void) {
  static int one = 1, two = 2, deepest = DEEPEST;
  child_passes(nest_on_own_stack, &one, "one signal");
  child_passes(nest_on_own_stack, &two, "one in the handler of another");
  child_passes(nest_on_own_stack, &deepest, "more than there are records");
  child_passes(nest_on_signal_stack, &two, "two deep, the first on the alternate stack");
  child_passes(leave_by_jumps, NULL, "after handlers that have jumped out");
  return tap_done();
}
