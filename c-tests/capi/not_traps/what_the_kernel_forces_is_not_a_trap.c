/* A signal whose handler runs on the thread's own stack arrives when that has no room for the kernel's frame: the
 * kernel forces SIGSEGV, which is no fault of the code that runs. The process dies of it, as without the library: also
 * in registered code, and after a general protection fault, of which the context still speaks. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

/* Less than any frame of the kernel's, more than a protected call and the code that spins. */
enum { ROOM = 800, STACK_SIZE = 256 * 1024 };

static unsigned char *stack;
static wasm_access_t spinning;
static wasmtrap_trap_t record;
static volatile int handled;
static int outside;

static void count(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  handled++;
}

__attribute__((noinline)) static void spin_low(void) {
  volatile unsigned char here = 0;
  const size_t left = (size_t)(&here - stack);
  if (left > 4 * ROOM) {
    volatile unsigned char frame[ROOM];
    frame[0] = 0;
    spin_low();
    frame[1] = frame[0];
    return;
  }
  /* The last of it at once. */
  volatile unsigned char *const rest = __builtin_alloca(left - ROOM);
  rest[0] = 0;
  if (outside) {
    wasm_spin.function(&spinning);
  } else {
    wasmtrap_call(wasm_spin.function, &spinning, &record);
  }
  rest[0] = here;
}

static void *run_low(void *unused) {
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
#if defined(__x86_64__)
  wasmtrap_trap_t trap;
  must(host_load(&wasm_load, (const void *)(uintptr_t)UINT64_C(0x1234000000000000), &trap) == WASMTRAP_TRAPPED);
#endif
  record = host_new_trap();
  spin_low();
  return unused;
}

static void force(void *flags) {
  host_init();
  host_register_code(&wasm_load);
  if (*(const int *)flags) {
    host_register_strict_code(&wasm_spin);
  } else {
    host_register_code(&wasm_spin);
  }
  install_handler(SIGUSR1, count, 0);
  stack = mmap(NULL, STACK_SIZE + page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(stack != MAP_FAILED && mprotect(stack, page_size(), PROT_NONE) == 0);
  stack += page_size();
  pthread_attr_t attributes;
  must(pthread_attr_init(&attributes) == 0);
  must(pthread_attr_setstack(&attributes, stack, STACK_SIZE) == 0);
  pthread_t thread;
  must(pthread_create(&thread, &attributes, run_low, NULL) == 0);
  while (__atomic_load_n(&spinning.address, __ATOMIC_ACQUIRE) == 0) sched_yield();
  must(pthread_kill(thread, SIGUSR1) == 0);
  must(pthread_join(thread, NULL) == 0);
  same(handled, -1, "the thread goes on, with code %s", wasmtrap_code_name(record.code));
}

static void force_outside(void *flags) {
  outside = 1;
  force(flags);
}

int main(void) {
#if defined(__APPLE__)
  return tap_skip_all("XNU ends the process itself where a handler's frame does not fit");
#endif
  static int strict = 1, plain = 0;
  child_dies_of(SIGSEGV, force, &plain, "in a range in which any instruction may trap");
  child_dies_of(SIGSEGV, force, &strict, "in a strict range");
  child_dies_of(SIGSEGV, force_outside, &plain, "outside of a protected call");
  return tap_done();
}
