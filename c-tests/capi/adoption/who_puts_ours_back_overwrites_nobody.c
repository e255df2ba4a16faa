/* An engine's handler declines by setting the default action, and the library is about to put its own back. Who changes
 * the disposition meanwhile has the last word: another handler that comes, and whoever has the engine released, which
 * waits until the library is through with a change that it has begun. Filters of system calls hold the thread there. */
#include <signal.h>
#include <unistd.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

/* musl's compiler comes without the kernel's headers. */
#if defined(__linux__) && !EMULATED && defined(__has_include)
#if __has_include(<linux/seccomp.h>)
#include <linux/seccomp.h>
#endif
#endif

#ifdef SECCOMP_USER_NOTIF_FLAG_CONTINUE
#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Where the low and the high half of a system call's argument lie. */
#define LOW(n) (offsetof(struct seccomp_data, args[n]) + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0))
#define HIGH(n) (offsetof(struct seccomp_data, args[n]) + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 0 : 4))
#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(offset))
#define UNLESS_EQUAL(value, skipped) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), 0, skipped)
#define IF_EQUAL(value, skipped) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), skipped, 0)
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, value)

/* Changes of what SIGSEGV does. */
static struct sock_filter changes[] = {
    LOAD(offsetof(struct seccomp_data, nr)), UNLESS_EQUAL(SYS_rt_sigaction, 7),
    LOAD(LOW(0)),                            UNLESS_EQUAL(SIGSEGV, 5),
    LOAD(LOW(1)),                            UNLESS_EQUAL(0, 2),
    LOAD(HIGH(1)),                           IF_EQUAL(0, 1),
    ANSWER(SECCOMP_RET_USER_NOTIF),          ANSWER(SECCOMP_RET_ALLOW),
};

/* Changes of the signal mask, between which the library looks at what there is. */
static struct sock_filter masks[] = {
    LOAD(offsetof(struct seccomp_data, nr)), UNLESS_EQUAL(SYS_rt_sigprocmask, 1),
    ANSWER(SECCOMP_RET_USER_NOTIF),          ANSWER(SECCOMP_RET_ALLOW),
};

/* What a thread that waits for another one calls. */
static struct sock_filter waits[] = {
    LOAD(offsetof(struct seccomp_data, nr)), IF_EQUAL(SYS_sched_yield, 3),   IF_EQUAL(SYS_nanosleep, 2),
    IF_EQUAL(SYS_clock_nanosleep, 1),        ANSWER(SECCOMP_RET_ALLOW), ANSWER(SECCOMP_RET_USER_NOTIF),
};

/* Has these system calls of the calling thread wait for `let_go`: where they are heard of, or -1. */
static int hold(struct sock_filter *filter, size_t count) {
  const struct sock_fprog program = {(unsigned short)count, filter};
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}
#define HOLD(filter) hold(filter, sizeof filter / sizeof *filter)

/* Whether a thread is held. */
static int holds(int listener) {
  struct pollfd poll_one = {listener, POLLIN, 0};
  return listener >= 0 && poll(&poll_one, 1, 0) == 1 && (poll_one.revents & POLLIN) != 0;
}

/* Lets the call be made. */
static void let_go(int listener) {
  struct seccomp_notif call;
  struct seccomp_notif_resp answer;
  memset(&call, 0, sizeof call);
  memset(&answer, 0, sizeof answer);
  must(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0);
  answer.id = call.id;
  answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  must(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0);
}

enum { NOT_YET = -2 };
static volatile int declining = NOT_YET, releasing = NOT_YET, released;
static volatile int faulted;
/* What the thread that declines is held at. */
static int held_at_masks;

static void declining_handler(int signal, siginfo_t *info, void *context) {
  (void)context;
  (void)info;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, NULL);
  __atomic_store_n(&declining, held_at_masks ? HOLD(masks) : HOLD(changes), __ATOMIC_SEQ_CST);
}

static void *fault(void *page) {
  must(*(volatile unsigned char *)page == 0);
  __atomic_store_n(&faulted, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static void *release(void *id) {
  __atomic_store_n(&releasing, HOLD(waits), __ATOMIC_SEQ_CST);
  must(wasmtrap_adopt_release(*(const uint64_t *)id) == WASMTRAP_OK);
  __atomic_store_n(&released, 1, __ATOMIC_SEQ_CST);
  return NULL;
}

static pthread_t thread;
static uint64_t id;
static struct sigaction ours;

static void wait_until_held(void) {
  while (!holds(declining) && !faulted) sched_yield();
}

/* A thread whose fault the engine has declined is held. */
static void begin(void) {
  install_handler(SIGSEGV, mending_handler, SA_ONSTACK);
  host_init();
  must(wasmtrap_adopt_begin(WASMTRAP_CLIENT_DEFAULT) == WASMTRAP_OK);
  install_handler(SIGSEGV, declining_handler, SA_ONSTACK);
  must(wasmtrap_adopt_end(0, &id) == WASMTRAP_OK);
  ours = disposition_of(SIGSEGV);
  void *const page = inaccessible_page();
  must(pthread_create(&thread, NULL, fault, page) == 0);
  while (declining == NOT_YET) sched_yield();
  must(declining >= 0);
  wait_until_held();
  make_accessible(page);
  ok(disposition_of(SIGSEGV).sa_handler == SIG_DFL, "the engine has set the default action");
}

/* It goes on to its end, which changes the mask, too. */
static void finish(void) {
  while (pthread_tryjoin_np(thread, NULL) != 0) {
    if (holds(declining)) let_go(declining);
    sched_yield();
  }
}

static struct sigaction set(signal_handler_t handler) {
  struct sigaction wanted;
  memset(&wanted, 0, sizeof wanted);
  if (handler != NULL) {
    wanted.sa_sigaction = handler;
    wanted.sa_flags = SA_SIGINFO | SA_ONSTACK;
  }
  must(sigaction(SIGSEGV, &wanted, NULL) == 0);
  return wanted;
}

static void is_as(const struct sigaction *wanted) {
  const struct sigaction now = disposition_of(SIGSEGV);
  ok(same_disposition(wanted, &now), "the disposition is what it is to be");
}

static void nobody_comes(void *unused) {
  (void)unused;
  begin();
  finish();
  is_as(&ours);
}

static void another_handler_comes(void *unused) {
  (void)unused;
  begin();
  const struct sigaction wanted = set(passing_handler);
  finish();
  is_as(&wanted);
}

/* Before the library looks whether the engine is still adopted, and when its own is back: it has begun no change. */
static void the_engine_is_released_between(void *number) {
  held_at_masks = 1;
  begin();
  for (int before = *(const int *)number; before > 0; before--) {
    let_go(declining);
    wait_until_held();
  }
  ok(!faulted, "the thread is held");
  must(wasmtrap_adopt_release(id) == WASMTRAP_OK);
  const struct sigaction wanted = set(NULL);
  finish();
  is_as(&wanted);
}

static void the_engine_is_released(void *unused) {
  (void)unused;
  begin();
  pthread_t releaser;
  must(pthread_create(&releaser, NULL, release, &id) == 0);
  while (releasing == NOT_YET) sched_yield();
  must(releasing >= 0);
  while (!released && !holds(releasing)) sched_yield();
  const int waits_for_it = !released;
  ok(waits_for_it, "wasmtrap_adopt_release waits");
  struct sigaction wanted;
  /* It would be overwritten now. */
  if (!waits_for_it) wanted = set(NULL);
  while (!released) {
    if (holds(declining)) let_go(declining);
    if (holds(releasing)) let_go(releasing);
    sched_yield();
  }
  if (waits_for_it) wanted = set(NULL);
  must(pthread_join(releaser, NULL) == 0);
  finish();
  is_as(&wanted);
}

static void mends_the_cause(int signal, siginfo_t *info, void *context) {
  mending_handler(signal, info, context);
  __atomic_store_n(&declining, HOLD(changes), __ATOMIC_SEQ_CST);
}

/* There is nothing to put back then, not for a moment. */
static void a_newer_handler_is_in_place(void *unused) {
  (void)unused;
  host_init_with_signals();
  must(wasmtrap_adopt_begin(WASMTRAP_CLIENT_DEFAULT) == WASMTRAP_OK);
  install_handler(SIGSEGV, mends_the_cause, SA_ONSTACK);
  must(wasmtrap_adopt_end(0, &id) == WASMTRAP_OK);
  install_passing_handler(SIGSEGV, SA_ONSTACK);
  must(pthread_create(&thread, NULL, fault, inaccessible_page()) == 0);
  while (declining == NOT_YET) sched_yield();
  must(declining >= 0);
  wait_until_held();
  ok(faulted, "the disposition is not changed");
  finish();
}

static void try_to_hold(void *unused) {
  (void)unused;
  must(HOLD(waits) >= 0);
}

int main(void) {
  /* A container may have a filter that listens already, or none may be had at all. */
  const int status = child_wait(child_start_to_die(try_to_hold, NULL));
  if (status != 0) return tap_skip_all("no filter of system calls can be had that holds a thread");
  child_passes(nobody_comes, NULL, "nobody comes in between");
  child_passes(another_handler_comes, NULL, "another handler comes");
  child_passes(a_newer_handler_is_in_place, NULL, "the engine mends, below a newer handler");
  child_passes(the_engine_is_released, NULL, "the engine is released");
  static const char *const names[] = {"the same, when its handler has returned", "the same, before the library looks",
                                      "the same, when ours is back"};
  for (int number = 0; number < 3; number++) {
    child_passes(the_engine_is_released_between, &number, names[number]);
  }
  return tap_done();
}

#else

int main(void) { return tap_skip_all("no filters of system calls here that hold a thread"); }

#endif
