/* WASMTRAP_INIT_LEAVE_BY_JUMP. A seccomp filter that kills for rt_sigreturn, or for rt_sigprocmask, tells by which of
 * the two traps leave their handler. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "host.h"
#include "process.h"

#if defined(__x86_64__) && defined(HAS_FILTERS)
static void *page;

static const wasmtrap_options_t *asking(uint32_t flags) {
  static wasmtrap_options_t options;
  options = (wasmtrap_options_t){.struct_size = sizeof options, .flags = flags};
  return &options;
}

static void set_up(uint32_t flags) {
  must(wasmtrap_init(asking(flags)) == WASMTRAP_OK);
  host_register_code(&wasm_load);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  page = inaccessible_page();
}

static wasmtrap_client_t open_client(uint32_t flags) {
  wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = "the other", .options = asking(flags)};
  wasmtrap_client_t client;
  must(wasmtrap_client_open(&desc, &client) == WASMTRAP_OK);
  return client;
}

/* By what the kernel says elsewhere, where it does not answer sigprocmask. */
static unsigned long long blocked_signals(void) {
  char line[128];
  unsigned long long blocked = 0;
  FILE *const status = fopen("/proc/self/status", "r");
  must(status != NULL);
  while (fgets(line, sizeof line, status) != NULL && sscanf(line, "SigBlk: %llx", &blocked) != 1) {
  }
  must(fclose(status) == 0);
  return blocked;
}

static void trap_under(long system_call, uint32_t action) {
  sigset_t some;
  sigemptyset(&some);
  sigaddset(&some, SIGUSR1);
  sigaddset(&some, SIGTERM);
  must(sigprocmask(SIG_SETMASK, &some, NULL) == 0);
  /* The first call attaches the thread anew where a client has come since. */
  wasmtrap_trap_t record;
  must(host_load(&wasm_load, page, &record) == WASMTRAP_TRAPPED);
  answer_call(system_call, action);
  for (int i = 0; i < 3; i++) {
    trapped_with(host_load(&wasm_load, page, &record), &record, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a trap");
  }
  same(blocked_signals(), 1ULL << (SIGUSR1 - 1) | 1ULL << (SIGTERM - 1), "as many signals are blocked as before");
}

static const char by_jump[] = "traps leave their handlers by a jump";
static const char by_sigreturn[] = "traps leave their handlers by rt_sigreturn\n";

static void trap_without(long system_call, const char *expected) {
  char *const words = described();
  ok(strstr(words, expected) != NULL, "the description has: %s", expected);
  free(words);
  trap_under(system_call, SECCOMP_RET_KILL_PROCESS);
}

static void asked(void *system_call) {
  set_up(WASMTRAP_INIT_LEAVE_BY_JUMP);
  trap_without(*(const long *)system_call, by_jump);
}

static void not_asked(void *system_call) {
  set_up(0);
  trap_without(*(const long *)system_call, by_sigreturn);
}

static void all_ask(void *system_call) {
  set_up(WASMTRAP_INIT_LEAVE_BY_JUMP);
  open_client(WASMTRAP_INIT_LEAVE_BY_JUMP);
  trap_without(*(const long *)system_call, by_jump);
}

static void one_does_not(void *system_call) {
  set_up(WASMTRAP_INIT_LEAVE_BY_JUMP);
  open_client(0);
  trap_without(*(const long *)system_call, by_sigreturn);
}

static void the_first_does_not(void *system_call) {
  set_up(0);
  open_client(WASMTRAP_INIT_LEAVE_BY_JUMP);
  trap_without(*(const long *)system_call, by_sigreturn);
}

static void who_does_not_is_gone(void *system_call) {
  set_up(WASMTRAP_INIT_LEAVE_BY_JUMP);
  must(wasmtrap_client_close(open_client(0)) == WASMTRAP_OK);
  trap_without(*(const long *)system_call, by_jump);
}

static void set_up_anew(void *system_call) {
  set_up(WASMTRAP_INIT_LEAVE_BY_JUMP);
  must(wasmtrap_shutdown() == WASMTRAP_OK);
  set_up(0);
  trap_without(*(const long *)system_call, by_sigreturn);
}

static void refused(void *system_call) {
  set_up(WASMTRAP_INIT_LEAVE_BY_JUMP);
  trap_under(*(const long *)system_call, SECCOMP_RET_ERRNO | EPERM);
}

int main(void) {
  static long rt_sigreturn = SYS_rt_sigreturn, rt_sigprocmask = SYS_rt_sigprocmask;
  child_passes(asked, &rt_sigreturn, "asked for: by a jump");
  child_dies_of(SIGSYS, asked, &rt_sigprocmask, "asked for: rt_sigprocmask must be allowed");
  child_passes(refused, &rt_sigprocmask, "asked for, and refused with an error: by rt_sigreturn");
  child_passes(not_asked, &rt_sigprocmask, "not asked for: by rt_sigreturn");
  child_passes(all_ask, &rt_sigreturn, "two clients ask: by a jump");
  child_passes(one_does_not, &rt_sigprocmask, "the second one does not: by rt_sigreturn");
  child_passes(the_first_does_not, &rt_sigprocmask, "the first one does not: by rt_sigreturn");
  child_passes(who_does_not_is_gone, &rt_sigreturn, "who did not is gone: by a jump");
  child_passes(set_up_anew, &rt_sigprocmask, "set up anew without: by rt_sigreturn");
  return tap_done();
}
#else
int main(void) { return tap_skip_all("only Linux on x86-64 has it, and seccomp's headers are wanted"); }
#endif
