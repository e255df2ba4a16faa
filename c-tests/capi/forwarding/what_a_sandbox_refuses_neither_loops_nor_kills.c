/* A seccomp filter refuses the system calls by which signals are handled. Traps are traps all the same, an earlier
 * handler is called, and a crash is the end of the process. */
#include <signal.h>
#include <unistd.h>

#include "filter.h"
#include "handlers.h"
#include "host.h"
#include "process.h"

#ifdef HAS_FILTERS
static void refuse(const long *numbers, size_t count) {
  for (size_t i = 0; i < count; i++) answer_call(numbers[i], SECCOMP_RET_ERRNO | EPERM);
}

static const long all[] = {SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_tgsigqueueinfo, SYS_tgkill, SYS_kill};
enum { ALL = sizeof all / sizeof *all };

static void trap(void *flags) {
  if (flags != NULL) install_handler(SIGSEGV, mending_handler, *(const int *)flags);
  host_init();
  host_register_code(&wasm_load);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  void *const page = inaccessible_page();
  refuse(all, ALL);
  for (int i = 0; i < 3; i++) {
    wasmtrap_trap_t record;
    trapped_with(host_load(&wasm_load, page, &record), &record, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a trap");
  }
  same(mending_calls, 0, "which is no earlier handler's");
}

static void fault(void *flags) {
  install_handler(SIGSEGV, mending_handler, *(const int *)flags);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  refuse(all, ALL);
  wasm_load_in_leaf.function(&access);
  same(access.value, WASM_RED_ZONE_INTACT, "the earlier handler has mended the fault");
}

static void crash(void *unused) {
  (void)unused;
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  refuse(all, ALL);
  wasm_load.function(&access);
}

/* Nothing but the numbers of the calls that put the default action back and send again. */
static void get(int signal, int number) {
  static const long sending[] = {SYS_rt_sigaction, SYS_rt_tgsigqueueinfo};
  host_init_with_kinds(HOST_ALL_KINDS);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  refuse(number == 0 ? sending : sending + 1, number == 0 ? 2 : 1);
  raise(signal);
  tap_note("still alive");
}

static void get_a_signal(void *number) { get(SIGSEGV, *(const int *)number); }

#if defined(__x86_64__)
static void get_another_signal(void *signal) { get(*(const int *)signal, 0); }
#endif

/* Seccomp's strict mode allows read, write, exit of the thread alone, and rt_sigreturn; all else kills. */
static void trap_in_strict_mode(void *flags) {
  if (flags != NULL) install_handler(SIGSEGV, mending_handler, *(const int *)flags);
  host_init();
  host_register_code(&wasm_load);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  void *const page = inaccessible_page();
  must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
  int traps = 0;
  for (int i = 0; i < 3; i++) {
    wasmtrap_trap_t record;
    if (host_load(&wasm_load, page, &record) == WASMTRAP_TRAPPED) traps++;
  }
  syscall(SYS_exit, traps == 3 ? 0 : 1);
}

static void strict(int *flags, const char *name) {
  /* A filter cannot be followed by strict mode: containers have one, and so has the simulated Mach kernel. */
  if (prctl(PR_GET_SECCOMP) != SECCOMP_MODE_DISABLED) {
    tap_skip("the process is under a filter of its own", "strict mode, %s", name);
    return;
  }
  const int status = child_wait(child_start(trap_in_strict_mode, flags));
  ok(status == 0, "strict mode, %s: %s", name, child_end_in_words(status));
}

int main(void) {
  static int plain = 0, on_stack = SA_ONSTACK, both = 0, one = 1;
  child_passes(trap, NULL, "traps");
  child_passes(trap, &plain, "traps over a handler on the interrupted stack");
  child_passes(trap, &on_stack, "traps over a handler on the alternate stack");
  child_passes(fault, &plain, "an earlier handler on the interrupted stack");
  child_passes(fault, &on_stack, "an earlier handler on the alternate stack");
  child_dies_at(SIGSEGV, wasm_fault_pc(&wasm_load), crash, NULL, "a crash");
  child_dies_of(SIGSEGV, get_a_signal, &both, "a signal that was sent, which can be neither made fatal nor sent again");
  child_dies_of(SIGSEGV, get_a_signal, &one, "a signal that was sent, which can be sent again without its information");
#if defined(__x86_64__)
  /* No instruction of arm64's makes a SIGFPE. */
  static int others[] = {SIGILL, SIGFPE, SIGTRAP};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    child_dies_of(others[i], get_another_signal, &others[i], "one of the other faults' signals that was sent");
  }
#endif
  strict(NULL, "over the default action");
  strict(&plain, "over a handler on the interrupted stack");
  strict(&on_stack, "over a handler on the alternate stack");
  return tap_done();
}
#else
int main(void) { return tap_skip_all("seccomp filters are Linux's own, and want its headers"); }
#endif
