/* A thread that leaves the library's handler otherwise than by its end, by a timer's siglongjmp, by cancellation, or as
 * the child of a fork in another signal's handler, does not keep wasmtrap_code_unregister waiting for ever. With the
 * library's own handlers, under a newer one that passes on, and in a host's handler. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

enum { ROUNDS = 100 };

static void *page;
static uint64_t code, region;

static void register_all(void) {
  code = host_register_strict_code(&wasm_load);
  region = host_register_region(page, page_size(), WASMTRAP_CODE_NONE);
}

static void unregister_all(void) {
  must(wasmtrap_code_unregister(code) == WASMTRAP_OK);
  must(wasmtrap_region_unregister(region) == WASMTRAP_OK);
}

static void trap_once(void) {
  wasmtrap_trap_t trap;
  must(host_load(&wasm_load, page, &trap) == WASMTRAP_TRAPPED);
}

static sigjmp_buf out;
static volatile sig_atomic_t armed;

static void jump_out(int signal) {
  (void)signal;
  if (armed) {
    armed = 0;
    siglongjmp(out, 1);
  }
}

static void start_timer(int microseconds) {
  const struct itimerval timer = {{0, 0}, {0, microseconds}};
  must(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void until_the_jump(void *round) {
  if (sigsetjmp(out, 1) == 0) {
    armed = 1;
    start_timer(60 + (*(const int *)round * 37) % 200);
    for (;;) trap_once();
  }
}

static void timers(void) {
  must(signal(SIGALRM, jump_out) != SIG_ERR);
  for (int i = 0; i < ROUNDS; i++) {
    must(wasmtrap_call(until_the_jump, &i, NULL) == WASMTRAP_OK);
    unregister_all();
    register_all();
  }
}

static void cancellable_load(void *unused) {
  int before;
  (void)unused;
  must(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before) == 0);
  wasm_access_t access = {address_of(page), 0};
  wasm_load.function(&access);
}

static volatile int started;

static void *trap_until_cancelled(void *unused) {
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  for (;;) {
    int before;
    wasmtrap_trap_t trap = host_new_trap();
    started = 1;
    must(wasmtrap_call(cancellable_load, NULL, &trap) == WASMTRAP_TRAPPED);
    must(pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &before) == 0);
    pthread_testcancel();
  }
  return unused;
}

static void cancellations(void) {
  for (int i = 0; i < ROUNDS; i++) {
    pthread_t thread;
    started = 0;
    must(pthread_create(&thread, NULL, trap_until_cancelled, NULL) == 0);
    while (!started) sched_yield();
    for (volatile int wait = 0; wait < (i * 37) % 20000; wait++) {
    }
    must(pthread_cancel(thread) == 0 && pthread_join(thread, NULL) == 0);
    unregister_all();
    register_all();
  }
}

static volatile sig_atomic_t forked;
static pid_t child;

static void fork_here(int signal) {
  (void)signal;
  if (!forked) {
    child = fork();
    forked = 1;
  }
}

static void look_up_and_trap(int what) {
  if (what % 2 == 0) {
    trap_once();
  } else {
    wasmtrap_code_info_t info = {0};
    info.struct_size = sizeof info;
    for (int i = 0; i < 50; i++) must(wasmtrap_code_lookup((const void *)wasm_load.start, &info) == WASMTRAP_OK);
  }
}

static void forks(void) {
  must(signal(SIGALRM, fork_here) != SIG_ERR);
  for (int i = 0; i < ROUNDS; i++) {
    forked = 0;
    start_timer(20 + (i * 7) % 60);
    while (!forked) look_up_and_trap(i);
    if (child == 0) {
      alarm(60);
      unregister_all();
      _exit(0);
    }
    int status = 0;
    must(waitpid(child, &status, 0) == child);
    if (status != 0) {
      ok(0, "the child of round %d comes to its end", i);
      return;
    }
  }
}

/* musl's handler for asynchronous cancellation, until 1.2.3, goes to the thread's end with the stack pointer of the
 * code that was interrupted as it is (src/thread/pthread_cancel.c), so that destructors run on a stack that is not
 * aligned: nothing that is compiled for x86-64 need survive that. */
#if defined(__GLIBC__) || defined(__APPLE__)
enum { THREADS_CAN_BE_CANCELLED = 1 };
#else
enum { THREADS_CAN_BE_CANCELLED = 0 };
#endif

/* In a handler that lets the signal of cancellation in. On Linux for arm64 no thread survives that for sure, whoever's
 * the handler is: where the cancellation arrives between the handler's end and its rt_sigreturn, libgcc looks for the
 * second signal frame at the first one's sigcontext and follows what it finds there (GCC 12's
 * aarch64_fallback_frame_state in libgcc/config/aarch64/linux-unwind.h: context->cfa is no stack pointer there; a core
 * dump showed the same). */
#if defined(__linux__) && defined(__aarch64__)
enum { THREADS_CAN_BE_CANCELLED_IN_A_HANDLER = 0 };
#else
enum { THREADS_CAN_BE_CANCELLED_IN_A_HANDLER = THREADS_CAN_BE_CANCELLED };
#endif

static void leave_in_each_way(int can_be_cancelled) {
  page = inaccessible_page();
  register_all();
  timers();
  must(signal(SIGALRM, SIG_DFL) != SIG_ERR);
  if (can_be_cancelled) cancellations();
  forks();
  ok(1, "unregistered each time");
}

static void own_handlers(void *unused) {
  (void)unused;
  host_init();
  leave_in_each_way(THREADS_CAN_BE_CANCELLED);
}

static struct sigaction ours;

static volatile int passed_on;

/* It calls the library's handler and has something left to do, so that the compiler makes no jump of the call. */
static void newer(int signal, siginfo_t *info, void *context) {
  pass_on(&ours, signal, info, context);
  passed_on++;
}

static void under_a_newer_one(void *unused) {
  (void)unused;
  host_init_with_signals();
  ours = install_handler(SIGSEGV, newer, SA_ONSTACK);
  leave_in_each_way(THREADS_CAN_BE_CANCELLED_IN_A_HANDLER);
}

static void try_the_library(int signal, siginfo_t *info, void *context) {
  if (!wasmtrap_try_handle_signal(signal, info, context)) _exit(77);
}

static void in_a_hosts_handler(void *unused) {
  (void)unused;
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.flags = WASMTRAP_INIT_HOST_OWNS_SIGNALS;
  options.backend = WASMTRAP_BACKEND_SIGNALS;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  install_handler(SIGSEGV, try_the_library, SA_ONSTACK);
  leave_in_each_way(THREADS_CAN_BE_CANCELLED_IN_A_HANDLER);
}

int main(void) {
  child_passes(own_handlers, NULL, "the library's handlers");
#if defined(__x86_64__) && !defined(__APPLE__)
  child_passes(under_a_newer_one, NULL, "under a newer handler");
#else
  (void)under_a_newer_one;
#endif
  child_passes(in_a_hosts_handler, NULL, "in a host's handler");
  return tap_done();
}
