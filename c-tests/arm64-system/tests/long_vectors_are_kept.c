/* Vectors so long that the kernel puts their state outside of the signal frame's reserved space (SVE, 256 bytes each):
 * traps land, on an ordinary stack and on one that has overflowed, and earlier handlers get and keep all of the state,
 * on the stack where they would have run without the library. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

#include "host.h"
#include "process.h"

#ifndef PR_SVE_SET_VL
#define PR_SVE_SET_VL 50
#define PR_SVE_VL_LEN_MASK 0xffff
#endif

enum { LONG = 256, ROUNDS = 100 };

/* Loads with all vector registers in use, and says whether they were kept. */
extern const wasm_code_t wasm_load_with_vectors;

static void *page;
static uintptr_t ran_at;
static int calls;
static const char *stack_position(void) { return __builtin_frame_address(0); }

static void mend(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  ran_at = (uintptr_t)stack_position();
  calls++;
  make_accessible(info->si_addr);
}

static void install(int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = mend;
  action.sa_flags = SA_SIGINFO | flags;
  must(sigaction(SIGSEGV, &action, NULL) == 0);
}

/* A load that the earlier handler mends: from code that is not registered, so that it is forwarded. */
static void load_forwarded(int flags) {
  install(flags);
  host_init();
  must(library_traps()); /* attaches the thread, so that it has an alternate stack */
  wasm_access_t access = {(uint64_t)(uintptr_t)page, 0};
  const uintptr_t here = (uintptr_t)stack_position();
  wasm_load_with_vectors.function(&access);
  same((uint64_t)calls, 1, "the earlier handler ran once");
  same(access.value, 1, "the vectors are as they were");
  if ((flags & SA_ONSTACK) == 0) {
    ok(ran_at < here && here - ran_at < 65536, "the handler ran on the interrupted stack");
  } else {
    ok(ran_at > here || here - ran_at >= 65536, "the handler ran on the alternate stack");
  }
}

static void forwarded_to_interrupted_stack(void *unused) {
  (void)unused;
  load_forwarded(0);
}

static void forwarded_to_alternate_stack(void *unused) {
  (void)unused;
  load_forwarded(SA_ONSTACK);
}

static void trap_often(void) {
  int lands = 0;
  for (int round = 0; round < ROUNDS; round++) {
    wasm_access_t access = {(uint64_t)(uintptr_t)page, 0};
    wasmtrap_trap_t trap;
    lands += host_call(&wasm_load_with_vectors, &access, &trap) == WASMTRAP_TRAPPED &&
             trap.fault_address == (size_t)(uintptr_t)page;
  }
  same((uint64_t)lands, ROUNDS, "traps land");
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(&wasm_recurse_big, &access, &trap), &trap, WASMTRAP_CODE_STACK_OVERFLOW, "a stack overflow");
}

static void *trap_in_thread(void *unused) {
  trap_often();
  return unused;
}

int main(void) {
  const int length = prctl(PR_SVE_SET_VL, LONG, 0, 0, 0);
  must(length >= 0);
  same((uint64_t)(length & PR_SVE_VL_LEN_MASK), LONG, "the processor has vectors of 256 bytes");
  page = inaccessible_page();

  wasm_access_t access = {(uint64_t)(uintptr_t)&access, 0};
  wasm_load_with_vectors.function(&access);
  same(access.value, 1, "the vectors are there");

  child_passes(forwarded_to_interrupted_stack, NULL, "a fault that an earlier handler without SA_ONSTACK mends");
  child_passes(forwarded_to_alternate_stack, NULL, "a fault that an earlier handler with SA_ONSTACK mends");

  host_init();
  host_register_code(&wasm_load_with_vectors);
  host_register_code(&wasm_recurse_big);
  trap_often();
  pthread_t thread;
  must(pthread_create(&thread, NULL, trap_in_thread, NULL) == 0);
  must(pthread_join(thread, NULL) == 0);
  return tap_done();
}
