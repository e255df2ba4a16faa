/* A profiler's signal handler unwinds the stack of the thread that it interrupts, wherever that is: in a trap, in its
 * landing, in an earlier handler that the library has entered. An earlier handler unwinds its own. Each finds the
 * thread's first function. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unwind.h>

#include "context.h"
#include "handlers.h"
#include "host.h"
#include "process.h"

#if defined(__linux__) && defined(__x86_64__)

enum { SAMPLES = 800, LONGEST = 100 };

/* Code with unwind tables, as a compiler of WebAssembly may register them. */
#define IN_RANGE __attribute__((section("registered_code"), noinline))
extern const unsigned char __start_registered_code[], __stop_registered_code[];

IN_RANGE static uint64_t load(const volatile uint64_t *place) { return *place + 1; }
IN_RANGE static uint64_t load_deep_down(const volatile uint64_t *place, int depth) {
  return depth == 0 ? load(place) : load_deep_down(place, depth - 1) + 1;
}
static void run(void *page) { load_deep_down(page, 5); }

static void *page;
static int started, enough;
static volatile int samples, lost, seen_in_handler, lost_in_handler;

static void *trap(void *unused);
static void *fault(void *unused);

typedef struct walk_t {
  int found;
  int frames;
} walk_t;

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *data) {
  walk_t *const walk = data;
  const uintptr_t function = (uintptr_t)_Unwind_GetRegionStart(context);
  walk->found |= function == (uintptr_t)trap || function == (uintptr_t)fault;
  return ++walk->frames == LONGEST ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static int finds_the_thread(void) {
  walk_t walk = {0, 0};
  _Unwind_Backtrace(look, &walk);
  return walk.found;
}

static void sample(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  if (!finds_the_thread()) lost++;
  __atomic_add_fetch(&samples, 1, __ATOMIC_RELEASE);
}

static void mend(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  if (seen_in_handler < 50) {
    seen_in_handler++;
    if (!finds_the_thread()) lost_in_handler++;
  }
  /* Behind the load: it counts as done. */
  static const uint64_t readable;
  for (int i = 0; i < (int)NGREG; i++) {
    greg_t *const place = &((ucontext_t *)context)->uc_mcontext.gregs[i];
    if ((uintptr_t)*place == address_of(page)) *place = (greg_t)address_of(&readable);
  }
}

static void *trap(void *unused) {
  wasmtrap_trap_t record = host_new_trap();
  __atomic_store_n(&started, 1, __ATOMIC_RELEASE);
  while (!__atomic_load_n(&enough, __ATOMIC_ACQUIRE)) {
    if (wasmtrap_call(run, page, &record) != WASMTRAP_TRAPPED) return &enough;
  }
  return unused;
}

static void *fault(void *unused) {
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  __atomic_store_n(&started, 1, __ATOMIC_RELEASE);
  while (!__atomic_load_n(&enough, __ATOMIC_ACQUIRE)) run(page);
  return unused;
}

static void profile(void *(*work)(void *), int flags) {
  finds_the_thread(); /* loads and allocates what it needs */
  if (flags >= 0) install_handler(SIGSEGV, mend, flags);
  host_init();
  wasmtrap_code_desc_t range = {0};
  range.struct_size = sizeof range;
  range.start = __start_registered_code;
  range.length = (size_t)(__stop_registered_code - __start_registered_code);
  uint64_t id;
  must(wasmtrap_code_register(&range, &id) == WASMTRAP_OK);
  install_handler(SIGPROF, sample, SA_RESTART);
  page = inaccessible_page();
  pthread_t thread;
  must(pthread_create(&thread, NULL, work, NULL) == 0);
  while (!__atomic_load_n(&started, __ATOMIC_ACQUIRE)) sched_yield();
  for (int sent = 1; sent <= SAMPLES; sent++) {
    must(pthread_kill(thread, SIGPROF) == 0);
    while (__atomic_load_n(&samples, __ATOMIC_ACQUIRE) < sent) sched_yield();
  }
  __atomic_store_n(&enough, 1, __ATOMIC_RELEASE);
  void *bad = &enough;
  must(pthread_join(thread, &bad) == 0);
  ok(bad == NULL, "every trap is one");
  same(lost, 0, "every sample finds the thread's first function");
  same(lost_in_handler, 0, "the earlier handler finds it, too");
  ok(work == trap || seen_in_handler > 0, "it has looked");
}

static void profile_traps(void *unused) {
  (void)unused;
  profile(trap, -1);
}
static void profile_traps_over(void *flags) { profile(trap, *(const int *)flags); }
static void profile_faults(void *flags) { profile(fault, *(const int *)flags); }

int main(void) {
  static int plain = 0, on_stack = SA_ONSTACK, nodefer = SA_NODEFER;
  child_passes(profile_traps, NULL, "traps");
  child_passes(profile_traps_over, &on_stack, "traps over a handler of the host's");
  child_passes(profile_faults, &plain, "a handler on the interrupted stack");
  child_passes(profile_faults, &on_stack, "a handler on the alternate stack");
  child_passes(profile_faults, &nodefer, "a handler that may be interrupted by its own signal");
  return tap_done();
}
#else
int main(void) { return tap_skip_all("so far looked at on Linux on x86-64 alone"); }
#endif
