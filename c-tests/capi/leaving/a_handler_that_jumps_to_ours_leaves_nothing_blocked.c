/* A newer handler passes a fault on by a jump, as compilers make it of a call at a function's end: the library is
 * entered as if the kernel had called it, but what is blocked is what the newer handler's disposition says. After the
 * trap the mask is what it was. */
#include <signal.h>

#include "handlers.h"
#include "host.h"

static const int blocked[] = {SIGSEGV, SIGUSR1};

#if defined(__x86_64__) && defined(__linux__)
void jumping_handler(int signal, siginfo_t *info, void *context);
__attribute__((used)) static void (*replaced)(int signal, siginfo_t *info, void *context);
__asm__(".text\n"
        "jumping_handler:\n"
        "incl jumps(%rip)\n"
        "jmpq *replaced(%rip)\n");
__attribute__((used)) static volatile int jumps;
#else
static void (*replaced)(int signal, siginfo_t *info, void *context);
static volatile int jumps;
static void jumping_handler(int signal, siginfo_t *info, void *context) {
  jumps++;
  replaced(signal, info, context);
}
#endif

int main(void) {
  enum { TRAPS = 3 };
  host_init_with_signals();
  host_register_code(&wasm_load);
  void *const page = inaccessible_page();
  struct sigaction action = {0};
  action.sa_sigaction = jumping_handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++) sigaddset(&action.sa_mask, blocked[i]);
  /* Nothing faults before both are there. */
  replaced = disposition_of(SIGSEGV).sa_sigaction;
  must(sigaction(SIGSEGV, &action, NULL) == 0);

  for (int trap = 1; trap <= TRAPS; trap++) {
    wasmtrap_trap_t record;
    same(host_load(&wasm_load, page, &record), WASMTRAP_TRAPPED, "a trap");
    same(jumps, trap, "by way of the newer handler");
    sigset_t now;
    must(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
    for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++) {
      ok(!sigismember(&now, blocked[i]), "signal %d is not blocked", blocked[i]);
    }
  }
  return tap_done();
}
