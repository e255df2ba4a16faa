/*
 * A fault that is not the library's reaches the handler that was there before just as the kernel would have delivered
 * it: arguments, signal mask, stack, SA_NODEFER, SA_RESETHAND. Each combination of flags runs twice, without the
 * library and with it, in processes of their own that write down what the handler sees; the two reports must be the
 * same.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "context.h"
#include "host.h"
#include "process.h"

enum { MASK_BYTES = 8, ALTERNATE_STACK_SIZE = 1 << 17, FAULTS = 3 };

/* One run of the handler. */
typedef struct seen_t {
  int signal;
  int code;
  size_t address;
  size_t pc;
  unsigned char mask[MASK_BYTES];
  int on_alternate_stack;
  int below_the_interrupted_stack;
  int aligned;
} seen_t;

/* One process. */
typedef struct report_t {
  int runs;
  seen_t seen[FAULTS];
  unsigned char mask_afterwards[MASK_BYTES];
  int resumed;
} report_t;

typedef struct setting_t {
  int flags;
  int masks_others;
  int has_alternate_stack;
  int faults_on_alternate_stack;
  const wasm_code_t *code;
  int signal;
  int with_library;
} setting_t;

static report_t *report;
static const setting_t *setting;
static unsigned char *page;

static void copy_mask(unsigned char *bytes) {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, NULL, &mask);
  memcpy(bytes, &mask, sizeof mask < MASK_BYTES ? sizeof mask : MASK_BYTES);
}

/* No buffer of the compiler's: the frame address tells on which stack the handler runs. */
static void see(int signal, seen_t *seen) {
  stack_t stack;
  seen->signal = signal;
  copy_mask(seen->mask);
  const uint64_t here = address_of(__builtin_frame_address(0));
  seen->on_alternate_stack = sigaltstack(NULL, &stack) == 0 && (stack.ss_flags & SS_DISABLE) == 0 &&
                             here - address_of(stack.ss_sp) < stack.ss_size;
  seen->aligned = address_of(__builtin_frame_address(0)) % 16 == 0;
}

/* So that the load goes on; an illegal instruction is stepped over by the three-argument handler. */
static void mend(void) { make_accessible(page); }

static void on_signal(int signal) {
  if (report->runs == FAULTS) _exit(3);
  see(signal, &report->seen[report->runs++]);
  mend();
}

static void on_signal_with_context(int signal, siginfo_t *info, void *context) {
  if (report->runs == FAULTS) _exit(3);
  seen_t *const seen = &report->seen[report->runs++];
  see(signal, seen);
  seen->code = info->si_code;
  seen->address = (size_t)(uintptr_t)info->si_addr;
  seen->pc = context_pc(context);
  /* On its own stack it must be below the interrupted frame's red zone; elsewhere the order means nothing. */
  seen->below_the_interrupted_stack =
      (setting->flags & SA_ONSTACK) != 0 ||
      address_of(__builtin_frame_address(0)) <= context_sp(context) - WASM_RED_ZONE_SIZE;
  if (signal == SIGILL) context_set_pc(context, context_pc(context) + WASM_UNREACHABLE_SIZE);
  mend();
}

static void fault(void) {
  make_inaccessible(page);
  wasm_access_t access = {address_of(page), 0};
  setting->code->function(&access);
}

static void fault_in_a_handler(int unused) {
  (void)unused;
  fault();
}

static void run(void *unused) {
  (void)unused;
  if (setting->has_alternate_stack) {
    static unsigned char memory[ALTERNATE_STACK_SIZE];
    const stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    must(sigaltstack(&stack, NULL) == 0);
  }
  struct sigaction action = {0};
  action.sa_flags = setting->flags;
  if (setting->flags & SA_SIGINFO) {
    action.sa_sigaction = on_signal_with_context;
  } else {
    action.sa_handler = on_signal;
  }
  if (setting->masks_others) {
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaddset(&action.sa_mask, SIGBUS);
  }
  must(sigaction(setting->signal, &action, NULL) == 0);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGWINCH);
  must(pthread_sigmask(SIG_BLOCK, &blocked, NULL) == 0);

  if (setting->with_library) {
    host_init();
    /* An attached thread has an alternate stack, ours if need be; SA_ONSTACK may use it. */
    if (setting->has_alternate_stack || !(setting->flags & SA_ONSTACK)) must(wasmtrap_thread_attach() == WASMTRAP_OK);
  }
  struct sigaction on_alternate_stack = {0};
  on_alternate_stack.sa_handler = fault_in_a_handler;
  on_alternate_stack.sa_flags = SA_ONSTACK;
  must(sigaction(SIGUSR1, &on_alternate_stack, NULL) == 0);
  for (int i = 0; i < FAULTS; i++) {
    if (setting->faults_on_alternate_stack) {
      raise(SIGUSR1);
    } else {
      fault();
    }
    report->resumed++;
    copy_mask(report->mask_afterwards);
  }
}

static void compare(setting_t *tried) {
  report_t reports[2];
  int ends[2];
  setting = tried;
  for (int with_library = 0; with_library < 2; with_library++) {
    tried->with_library = with_library;
    memset(report, 0, sizeof *report);
    ends[with_library] = child_wait(child_start_to_die(run, NULL));
    reports[with_library] = *report;
  }
  const report_t *const without = &reports[0], *const with = &reports[1];
  const int same_runs = memcmp(without, with, sizeof *with) == 0;
  ok(same_runs && ends[0] == ends[1] && without->runs > 0, "%s%s%s%s%s%s%s%s", strsignal(tried->signal),
     tried->flags & SA_SIGINFO ? ", three arguments" : "", tried->flags & SA_NODEFER ? ", SA_NODEFER" : "",
     tried->flags & (int)SA_RESETHAND ? ", SA_RESETHAND" : "", tried->flags & SA_ONSTACK ? ", SA_ONSTACK" : "",
     tried->masks_others ? ", with a mask" : "", tried->has_alternate_stack ? ", alternate stack" : "",
     tried->faults_on_alternate_stack ? ", from a handler on it" : "");
  if (same_runs && ends[0] == ends[1]) return;
  for (int i = 0; i < 2; i++) {
    const report_t *const r = &reports[i];
    const seen_t *const s = &r->seen[0];
    tap_note("%s: %s; %d runs, %d resumed; code %d address %zx pc %zx mask %02x%02x%02x%02x on alternate stack %d "
             "below %d aligned %d", i == 0 ? "without" : "with", child_end_in_words(ends[i]), r->runs, r->resumed,
             s->code, s->address, s->pc, s->mask[0], s->mask[1], s->mask[2], s->mask[3], s->on_alternate_stack,
             s->below_the_interrupted_stack, s->aligned);
  }
}

int main(void) {
  report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  must(report != MAP_FAILED);
  page = inaccessible_page();
  for (unsigned bits = 0; bits < 128; bits++) {
    setting_t tried = {0};
    tried.flags = (bits & 1 ? SA_SIGINFO : 0) | (bits & 2 ? SA_NODEFER : 0) | (bits & 4 ? (int)SA_RESETHAND : 0) |
                  (bits & 8 ? SA_ONSTACK : 0);
    tried.masks_others = (bits & 16) != 0;
    tried.has_alternate_stack = (bits & 32) != 0;
    tried.faults_on_alternate_stack = (bits & 64) != 0;
    if (tried.faults_on_alternate_stack && !tried.has_alternate_stack) continue;
    tried.code = &wasm_load;
    tried.signal = SIGSEGV;
    compare(&tried);
    if (!(tried.flags & SA_SIGINFO)) continue;
    tried.code = &wasm_unreachable;
    tried.signal = SIGILL;
    compare(&tried);
  }
  return tap_done();
}
