/* A client that cannot have what it wants is refused, and what was done for it until then is taken back: handlers of
 * faults, and the signal of interrupts. What others have stays. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "filter.h"
#include "handlers.h"
#include "host.h"
#include "process.h"

static wasmtrap_status_t open_client(uint32_t kinds, int interrupt_signal) {
  const wasmtrap_options_t options = {.struct_size = sizeof options, .backend = WASMTRAP_BACKEND_SIGNALS,
                                      .fault_kinds = kinds, .interrupt_signal = interrupt_signal};
  const wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = "a client", .options = &options};
  wasmtrap_client_t client = 0;
  return wasmtrap_client_open(&desc, &client);
}

static int is_free(int signal) { return disposition_of(signal).sa_handler == SIG_DFL; }

static void handler(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
}

static void interrupts_by_a_signal_that_is_in_use(void *unused) {
  (void)unused;
  install_handler(SIGUSR1, handler, 0);
  same(open_client(0, SIGUSR1), WASMTRAP_ERR_CONFLICT, "the first client wants a signal that has a handler");
  ok(is_free(SIGSEGV) && is_free(SIGILL), "no fault handler is left");
  ok(disposition_of(SIGUSR1).sa_sigaction == handler, "and the signal is whose it was");
  same(open_client(WASMTRAP_FAULT_MEMORY, 0), WASMTRAP_OK, "one without interrupts");
  same(open_client(WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ILLEGAL, SIGUSR1), WASMTRAP_ERR_CONFLICT,
       "the second client wants it");
  ok(is_free(SIGILL), "it has no fault handler either");
  ok(disposition_of(SIGUSR1).sa_sigaction == handler, "and the signal is whose it was");
}

#ifdef HAS_FILTERS
/* From now on the kernel refuses to tell, and to change, what this signal does. */
static void refuse_sigaction_of(int signal) {
  const struct sock_filter instructions[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigaction, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)signal, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  install_filter(instructions, sizeof instructions / sizeof *instructions);
}

/* Refused as it takes illegal instructions. */
static void is_refused(const char *name) {
  char words[64];
  snprintf(words, sizeof words, "sigaction of signal %d", SIGILL);
  same(open_client(WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ILLEGAL, SIGUSR1), WASMTRAP_ERR_SYSTEM, "%s", name);
  contains(wasmtrap_last_error(), words, "the sentence names the signal");
}

static void the_first(void *unused) {
  (void)unused;
  refuse_sigaction_of(SIGILL);
  is_refused("the first client");
  ok(is_free(SIGSEGV) && is_free(SIGBUS) && is_free(SIGUSR1), "no handler is left");
  same(open_client(WASMTRAP_FAULT_MEMORY, SIGUSR1), WASMTRAP_OK, "one that wants less");
  ok(!is_free(SIGSEGV) && !is_free(SIGBUS) && !is_free(SIGUSR1), "has its handlers");
}

static void the_second(void *unused) {
  (void)unused;
  must(open_client(WASMTRAP_FAULT_MEMORY, 0) == WASMTRAP_OK);
  refuse_sigaction_of(SIGILL);
  is_refused("a second client");
  ok(is_free(SIGUSR1), "the signal of interrupts is not taken");
  ok(!is_free(SIGSEGV) && !is_free(SIGBUS), "the first one's handlers stay");
}

static void the_second_with_the_same_interrupts(void *unused) {
  (void)unused;
  must(open_client(WASMTRAP_FAULT_MEMORY, SIGUSR1) == WASMTRAP_OK);
  const struct sigaction before = disposition_of(SIGUSR1);
  must(before.sa_handler != SIG_DFL);
  refuse_sigaction_of(SIGILL);
  is_refused("a second client");
  const struct sigaction now = disposition_of(SIGUSR1);
  ok(same_disposition(&now, &before), "the first one's signal of interrupts stays");
  ok(!is_free(SIGSEGV) && !is_free(SIGBUS), "and so do its handlers");
}

static void under_filters(void) {
  child_passes(the_first, NULL, "a filter refuses what the first client wants");
  child_passes(the_second, NULL, "what a second one wants, with interrupts");
  child_passes(the_second_with_the_same_interrupts, NULL, "what a second one wants, with the first one's interrupts");
}
#else
static void under_filters(void) {
  tap_skip("seccomp filters are Linux's own, and want its headers", "a filter refuses what a client wants");
}
#endif

int main(void) {
  child_passes(interrupts_by_a_signal_that_is_in_use, NULL, "a signal that is in use");
  under_filters();
  return tap_done();
}
