/* With WASMTRAP_INIT_HOST_OWNS_SIGNALS the library installs nothing. The host's own handler asks
 * wasmtrap_try_handle_signal, and keeps what is not the library's, unchanged. */
#include <signal.h>
#include <string.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
enum { SIGNALS = sizeof signals / sizeof *signals };

static volatile int asked, taken, kept, changed;

static void on_signal(int signal, siginfo_t *info, void *context) {
  asked++;
  const siginfo_t info_before = *info;
  const ucontext_t context_before = *(const ucontext_t *)context;
  if (wasmtrap_try_handle_signal(signal, info, context)) {
    taken++;
    return;
  }
  kept++;
  if (memcmp(info, &info_before, sizeof info_before) != 0) changed++;
  if (memcmp(context, &context_before, sizeof context_before) != 0) changed++;
  if (is_fault(info, context)) make_accessible(info->si_addr);
}

static void init(void) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.flags = WASMTRAP_INIT_HOST_OWNS_SIGNALS;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
}

static void nothing_is_installed(void *unused) {
  (void)unused;
  init();
  for (int i = 0; i < SIGNALS; i++) {
    ok(disposition_of(signals[i]).sa_handler == SIG_DFL, "%s", strsignal(signals[i]));
  }
  install_handler(SIGSEGV, on_signal, SA_ONSTACK);
  uint32_t displaced = 1;
  same(wasmtrap_check(&displaced), WASMTRAP_OK, "wasmtrap_check");
  same(displaced, 0, "nothing is ever displaced");
  same(wasmtrap_rearm(), WASMTRAP_OK, "wasmtrap_rearm");
  ok(disposition_of(SIGSEGV).sa_sigaction == on_signal, "leaves the host's handler alone");
  same(wasmtrap_shutdown(), WASMTRAP_OK, "wasmtrap_shutdown");
  ok(disposition_of(SIGSEGV).sa_sigaction == on_signal, "as well");
}

static void traps(void *flags) {
  for (int i = 0; i < SIGNALS; i++) install_handler(signals[i], on_signal, *(const int *)flags);
  init();
  ok(library_traps(), "a trap is a trap");
  ok(asked == 1 && taken == 1, "by the host's handler");
  host_register_code(&wasm_unreachable);
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_unreachable, NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE, "another kind");
  if (*(const int *)flags & SA_ONSTACK) {
    host_register_code(&wasm_recurse);
    wasm_access_t access = {0, 0};
    trapped_with(host_call(&wasm_recurse, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, "a stack overflow");
  }
  ok(asked == taken, "all were the library's");

  asked = taken = 0;
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  wasm_load_in_leaf.function(&access);
  same(access.value, WASM_RED_ZONE_INTACT, "a fault that is not the library's is the host's, which mends it");
  raise(SIGSEGV);
  ok(asked == 2 && kept == 2, "so is a signal that was sent");
  same(changed, 0, "the library changed nothing of it");
}

static void all_day_long(void *flags) {
  for (int i = 0; i < SIGNALS; i++) install_handler(signals[i], on_signal, *(const int *)flags);
  init();
  int trapped = 0;
  for (int i = 0; i < 1000; i++) trapped += library_traps();
  same(trapped, 1000, "each of a thousand");
  /* A handler without SA_NODEFER, left by no return of its own: the library must not leave its signal blocked. */
  sigset_t mask;
  must(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
  ok(!sigismember(&mask, SIGSEGV), "the signal is not blocked afterwards");
}

/* A signal that waits while the library looks. Its handler could leave by a jump, and the look would never end. */
static volatile int looking, delivered, disturbed;

static void on_other_signal(int signal) {
  (void)signal;
  delivered++;
  if (looking) disturbed++;
}

static void raise_another_and_ask(int signal, siginfo_t *info, void *context) {
  sigset_t other;
  sigemptyset(&other);
  sigaddset(&other, SIGUSR1);
  must(pthread_sigmask(SIG_BLOCK, &other, NULL) == 0 && raise(SIGUSR1) == 0);
  looking = 1;
  taken += wasmtrap_try_handle_signal(signal, info, context);
  looking = 0;
}

static void undisturbed(void *unused) {
  (void)unused;
  must(signal(SIGUSR1, on_other_signal) != SIG_ERR);
  install_handler(SIGSEGV, raise_another_and_ask, SA_ONSTACK);
  init();
  ok(library_traps() && taken == 1, "a trap is a trap");
  same(delivered, 1, "the other signal is delivered");
  same(disturbed, 0, "but not while the library looks");
}

static void anywhere_but_here(void *unused) {
  (void)unused;
  siginfo_t info;
  ucontext_t context;
  memset(&info, 0, sizeof info);
  memset(&context, 0, sizeof context);
  same(wasmtrap_try_handle_signal(SIGSEGV, &info, &context), 0, "before wasmtrap_init it is nobody's");
  init();
  same(wasmtrap_try_handle_signal(SIGSEGV, NULL, &context), 0, "without a siginfo_t");
  same(wasmtrap_try_handle_signal(SIGSEGV, &info, NULL), 0, "without a context");
  same(wasmtrap_try_handle_signal(SIGSEGV, NULL, NULL), 0, "without either");
  same(wasmtrap_try_handle_signal(SIGUSR1, &info, &context), 0, "a signal that is no fault");
  same(wasmtrap_try_handle_signal(-1, &info, &context), 0, "no signal at all");
  same(wasmtrap_try_handle_signal(4711, &info, &context), 0, "nor that");
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  same(wasmtrap_try_handle_signal(SIGSEGV, &info, &context), 0, "after wasmtrap_shutdown it is nobody's");
}

/* A zeroed context is none, whatever the siginfo_t beside it says: nothing in it is followed, and nobody is asked. */
static volatile int handler_asked;

static wasmtrap_verdict_t count(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  handler_asked++;
  return WASMTRAP_VERDICT_FORWARD;
}

static void a_zeroed_context(void *unused) {
  (void)unused;
  for (int i = 0; i < SIGNALS; i++) install_handler(signals[i], on_signal, SA_ONSTACK);
  init();
  must(wasmtrap_set_fault_handler(count, NULL) == WASMTRAP_OK);
  static const int all[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGUSR1, 0, -1, 4711};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    for (int code = 0; code < 5; code++) {
      siginfo_t info;
      ucontext_t context, before;
      memset(&info, 0, sizeof info);
      memset(&context, 0, sizeof context);
      memset(&before, 0, sizeof before);
      info.si_signo = all[i];
      info.si_code = code;
      same(wasmtrap_try_handle_signal(all[i], &info, &context), 0, "signal %d, code %d", all[i], code);
      ok(memcmp(&context, &before, sizeof context) == 0, "the context is as it was");
    }
  }
  same(handler_asked, 0, "the fault handler is asked about none");
  must(wasmtrap_set_fault_handler(NULL, NULL) == WASMTRAP_OK);
  ok(library_traps(), "a trap is a trap afterwards");
}

int main(void) {
  static int plain = 0, on_stack = SA_ONSTACK;
  child_passes(nothing_is_installed, NULL, "the library installs nothing");
  child_passes(traps, &on_stack, "traps through a handler of the host's with SA_ONSTACK");
  child_passes(traps, &plain, "traps through one without");
  child_passes(all_day_long, &on_stack, "a thousand traps");
  child_passes(undisturbed, NULL, "no signal is let in");
  child_passes(anywhere_but_here, NULL, "calls that make no sense do nothing");
  child_passes(a_zeroed_context, NULL, "a zeroed context is not the library's");
  return tap_done();
}
