/* A signal that somebody sent goes to the host's own handler, however it was sent, and even if it arrives while the
 * program counter is in registered code inside of a protected call. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#if !defined(__APPLE__)
#include <sys/syscall.h>
#endif
#include <time.h>
#include <unistd.h>

#include "context.h"
#include "handlers.h"
#include "host.h"
#include "process.h"

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
enum { SIGNALS = sizeof signals / sizeof *signals };

static volatile int received_count;
static volatile int received_signal;
static volatile int received_code;
static volatile size_t received_pc;

/* No other signal arrives while it runs, so that the next one finds the thread in the registered code again. */
static void on_signal(int signal, siginfo_t *info, void *context) {
  received_pc = context_pc(context);
  received_signal = signal;
  received_code = info->si_code;
  __atomic_add_fetch(&received_count, 1, __ATOMIC_RELEASE);
}

/* The main thread runs WebAssembly: the kernel gives it what is sent to the process. Another thread sends. */
static pthread_t wasm_thread;
static wasm_access_t spinning;

static void by_kill(int signal) { must(kill(getpid(), signal) == 0); }
static void by_pthread_kill(int signal) { must(pthread_kill(wasm_thread, signal) == 0); }
#if !defined(__APPLE__)
#if !defined(sigev_notify_thread_id) /* glibc has no name for it */
#define sigev_notify_thread_id _sigev_un._tid
#endif
static pid_t wasm_tid;
static void by_tgkill(int signal) { must(syscall(SYS_tgkill, getpid(), wasm_tid, signal) == 0); }
static void by_sigqueue(int signal) {
  const union sigval value = {.sival_int = 4711};
  must(sigqueue(getpid(), signal, value) == 0);
}
static void by_timer(int signal) {
  struct sigevent event = {0};
  /* To the thread: the kernel would prefer the one that is running. */
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_notify_thread_id = wasm_tid;
  event.sigev_signo = signal;
  timer_t timer;
  must(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  const struct itimerspec soon = {{0, 0}, {0, 1}};
  must(timer_settime(timer, 0, &soon, NULL) == 0);
  const int before = received_count;
  while (__atomic_load_n(&received_count, __ATOMIC_ACQUIRE) == before && received_code != SI_TIMER) sched_yield();
  timer_delete(timer);
}
#endif
static void kill_parent(void *signal) { must(kill(getppid(), *(const int *)signal) == 0); }
static void by_another_process(int signal) { must(child_wait(child_start(kill_parent, &signal)) == 0); }
#if !defined(__APPLE__)
static void queue_to_parent(void *signal) {
  const union sigval value = {.sival_ptr = NULL};
  must(sigqueue(getppid(), *(const int *)signal, value) == 0);
}
static void by_another_processs_sigqueue(int signal) { must(child_wait(child_start(queue_to_parent, &signal)) == 0); }
#endif

typedef struct way_t {
  const char *name;
  void (*send)(int signal);
  int expected_code;
  /* To the process, not to the thread. */
  int to_process;
} way_t;

static const way_t ways[] = {
    {"kill", by_kill, SI_USER, 1},
    {"another process", by_another_process, SI_USER, 1},
#if defined(__APPLE__)
    {"pthread_kill", by_pthread_kill, SI_USER, 0},
#else
    {"pthread_kill", by_pthread_kill, SI_TKILL, 0},
    {"tgkill", by_tgkill, SI_TKILL, 0},
    {"sigqueue", by_sigqueue, SI_QUEUE, 1},
    {"a timer", by_timer, SI_TIMER, 0},
    {"another process's sigqueue", by_another_processs_sigqueue, SI_QUEUE, 1},
#endif
};

static void try_way(const way_t *way, int signal) {
  const int before = __atomic_load_n(&received_count, __ATOMIC_ACQUIRE);
  received_code = 0;
  way->send(signal);
  while (__atomic_load_n(&received_count, __ATOMIC_ACQUIRE) == before) sched_yield();
  same(received_signal, signal, "%s by %s reaches the host's handler", strsignal(signal), way->name);
#if !defined(__APPLE__)
  /* XNU gives these signals the codes of faults (sendsig, bsd/dev/arm/unix_signal.c). */
  same(received_code, way->expected_code, "... with its code");
#endif
  ok(received_pc - address_of(wasm_spin.start) < wasm_spin.length, "... from inside of the registered code");
}

static void *send_all(void *unused) {
  /* What is sent to the process goes to a thread that does not block it: the one that runs the registered code. */
  sigset_t all;
  sigemptyset(&all);
  for (size_t i = 0; i < SIGNALS; i++) sigaddset(&all, signals[i]);
  must(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
  while (__atomic_load_n(&spinning.address, __ATOMIC_ACQUIRE) == 0) sched_yield();
  for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
    for (size_t i = 0; i < SIGNALS; i++) {
      /* QEMU's user emulation does not block these two in the host, so that any thread may get them. */
      if (EMULATED && ways[way].to_process && (signals[i] == SIGSEGV || signals[i] == SIGBUS)) {
        tap_skip("the emulator gives it to any thread", "%s by %s", strsignal(signals[i]), ways[way].name);
      } else {
        try_way(&ways[way], signals[i]);
      }
    }
  }
  __atomic_store_n(&spinning.value, 1, __ATOMIC_RELEASE);
  return unused;
}

static void raise_all(void *unused) {
  (void)unused;
  for (size_t i = 0; i < SIGNALS; i++) raise(signals[i]);
}

int main(void) {
  for (size_t i = 0; i < SIGNALS; i++) {
    struct sigaction action = {0};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO;
    sigfillset(&action.sa_mask);
    must(sigaction(signals[i], &action, NULL) == 0);
  }
  host_init_with_kinds(HOST_ALL_KINDS);
  host_register_code(&wasm_spin);
  host_register_code(&wasm_call_import);

  wasmtrap_trap_t trap;
  wasm_import_t import = {raise_all, NULL};
  same(host_call(&wasm_call_import, &import, &trap), WASMTRAP_OK, "an import raises all signals, and the call returns");
  same(received_count, SIGNALS, "the host's handler got them all");

  wasm_thread = pthread_self();
#if !defined(__APPLE__)
  wasm_tid = (pid_t)syscall(SYS_gettid);
#endif
  pthread_t sender;
  must(pthread_create(&sender, NULL, send_all, NULL) == 0);
  const wasmtrap_status_t status = host_call(&wasm_spin, &spinning, &trap);
  must(pthread_join(sender, NULL) == 0);
  same(status, WASMTRAP_OK, "after all of them the code is still running, and returns");
  return tap_done();
}
