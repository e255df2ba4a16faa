/* A fault handler that has left by a jump is asked about the next fault too: also where another library has put a
 * handler of its own on top meanwhile, which passes on what it does not know, and takes some stack for it; at any depth
 * of the stack, and after a fault on the alternate stack. */
#include <setjmp.h>
#include <signal.h>

#include "handlers.h"
#include "host.h"

static sigjmp_buf landing;
static volatile int asked;
static void *page;
static struct sigaction ours;

static wasmtrap_verdict_t jump(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  asked++;
  siglongjmp(landing, 1);
}

__attribute__((noinline)) static void newer(int signal, siginfo_t *info, void *context) {
  volatile char room[700];
  for (size_t i = 0; i < sizeof room; i++) room[i] = 1;
  pass_on(&ours, signal, info, context);
  if (room[0] != 1) asked = -1;
}

__attribute__((noinline)) static void fault_at_depth(int depth) {
  volatile char room[300];
  room[0] = 0;
  if (depth > 0) {
    fault_at_depth(depth - 1);
  } else {
    wasm_access_t access = {address_of(page), 0};
    wasm_load.function(&access);
  }
  if (room[0] != 0) asked = -1;
}

static void once(int depth, const char *name) {
  const int before = asked;
  if (sigsetjmp(landing, 1) == 0) fault_at_depth(depth);
  same(asked, before + 1, "%s, at depth %d: asked once", name, depth);
}

static void on_usr1(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  fault_at_depth(1);
}

/* A handler with an array that nobody writes to: what was on the alternate stack before shows through. */
static void on_usr2(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  volatile char hole[6144];
  __asm__ volatile("" : : "r"(hole) : "memory");
  fault_at_depth(0);
  __asm__ volatile("" : : "r"(hole) : "memory");
}

static void at_each_depth(const char *name) {
  static const int depths[] = {0, 20, 3, 0, 40, 1};
  for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) once(depths[i], name);
  const int before = asked;
  if (sigsetjmp(landing, 1) == 0) raise(SIGUSR1);
  same(asked, before + 1, "%s: a fault on the alternate stack", name);
  once(2, name);
  const int before_the_hole = asked;
  if (sigsetjmp(landing, 1) == 0) raise(SIGUSR2);
  same(asked, before_the_hole + 1, "%s: a fault on the alternate stack, on top of an array", name);
}

int main(void) {
  host_init_with_signals();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  must(wasmtrap_set_fault_handler(jump, NULL) == WASMTRAP_OK);
  page = inaccessible_page();
  install_handler(SIGUSR1, on_usr1, SA_ONSTACK);
  install_handler(SIGUSR2, on_usr2, SA_ONSTACK);
  at_each_depth("the library's handler");
  ours = install_handler(SIGSEGV, newer, SA_ONSTACK);
  at_each_depth("under a newer one");
  must(wasmtrap_set_fault_handler(NULL, NULL) == WASMTRAP_OK);
  ok(library_traps(), "without the handler, a trap is a trap");
  return tap_done();
}
