/* A process with AddressSanitizer's entries (this program has its own) is told once for each trap that frames were
 * dropped, and which stack they were on: after the handler, on the thread's own stack, with nothing blocked. A call
 * that returns is no reason to tell anything. */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "handlers.h"
#include "host.h"

void __asan_handle_no_return(void);
void __asan_unpoison_memory_region(const volatile void *address, size_t size);

static struct {
  int told;
  int unpoisoned;
  const char *low, *high;
  char *at;
  int blocked;
} seen;

static void look_around(void) {
  sigset_t now;
  must(pthread_sigmask(SIG_BLOCK, NULL, &now) == 0);
  seen.blocked |= sigismember(&now, SIGSEGV) || sigismember(&now, SIGUSR1);
}

void __asan_handle_no_return(void) {
  seen.told++;
  seen.at = __builtin_frame_address(0);
  look_around();
}

void __asan_unpoison_memory_region(const volatile void *address, size_t size) {
  seen.unpoisoned++;
  seen.low = (const char *)address;
  seen.high = seen.low + size;
  look_around();
}

typedef struct work_t {
  void (*trap)(void);
  volatile uint64_t deepest;
} work_t;

static void trap_by_a_fault(void) {
  static unsigned char *page;
  if (page == NULL) page = inaccessible_page();
  wasm_access_t access = {.address = address_of(page)};
  wasm_load.function(&access);
}

static void trap_by_a_raise(void) { wasmtrap_raise(WASMTRAP_CODE_USER, 0); }

static void trap_by_an_overflow(void) {
  wasm_access_t access = {0};
  wasm_recurse.function(&access);
}

static void do_not_trap(void) {}

static void start(void *argument) {
  work_t *const work = argument;
  char here[4000];
  memset(here, 1, sizeof here);
  work->deepest = address_of(here);
  work->trap();
  work->deepest += (uint64_t)here[17];
}

static void *check(void *argument) {
  work_t work = {.trap = *(void (**)(void))argument};
  char *const high = __builtin_frame_address(0);
  for (int round = 0; round < 2; round++) {
    memset(&seen, 0, sizeof seen);
    same(wasmtrap_call(start, &work, NULL), WASMTRAP_TRAPPED, "it traps");
    same(seen.told, 1, "the sanitizer is told");
    same(seen.unpoisoned, 1, "and unpoisons once");
    ok(address_of(seen.low) <= work.deepest && work.deepest + 4000 <= address_of(seen.high), "what was dropped");
    ok(seen.high <= high, "and nothing of the frames that live");
    ok(seen.at < high && high - seen.at < 1 << 16, "on the stack of the call, when it has landed there or close to it");
    ok(!seen.blocked, "with nothing blocked");
  }
  return NULL;
}

static void run(void (*trap)(void), const char *name) {
  tap_note("%s", name);
  check(&trap);
  pthread_t thread;
  must(pthread_create(&thread, NULL, check, &trap) == 0);
  must(pthread_join(thread, NULL) == 0);
}

static void record_nothing(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
}

int main(void) {
  /* The library's handler ends in other ways over a handler of the host's than over the default action. */
  install_handler(SIGSEGV, record_nothing, SA_ONSTACK);
  host_init();
  host_register_code(&wasm_load);
  host_register_code(&wasm_recurse);
  run(trap_by_a_fault, "faults");
  run(trap_by_a_raise, "wasmtrap_raise");
  run(trap_by_an_overflow, "stack overflows");
  memset(&seen, 0, sizeof seen);
  work_t work = {.trap = do_not_trap};
  same(wasmtrap_call(start, &work, NULL), WASMTRAP_OK, "a call that returns");
  same(seen.told + seen.unpoisoned, 0, "tells nobody");
  return tap_done();
}
