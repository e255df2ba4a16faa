/* A signal that is sent to a thread in a blocking system call ends the call with EINTR, or has it go on, as the handler
 * that was there before asked by SA_RESTART; an ignored signal never ends it. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

static int ends[2];
static volatile int count;

static void on_signal(int signal) {
  (void)signal;
  count++;
}

static void set_up(void *flags) {
  struct sigaction action = {0};
  if (flags == NULL) {
    action.sa_handler = SIG_IGN;
  } else {
    action.sa_handler = on_signal;
    action.sa_flags = *(const int *)flags;
  }
  must(sigaction(SIGFPE, &action, NULL) == 0);
  host_init();
  must(pipe(ends) == 0);
}

/* Sends the signal once the parent is in its read, and then the byte that a read that goes on waits for. A parent that
 * does not go on waits for this process. */
static void interrupt_parent(void *unused) {
  (void)unused;
  wait_until_asleep(getppid());
  kill(getppid(), SIGFPE);
  wait_until_asleep(getppid());
  if (write(ends[1], "x", 1) != 1) _exit(5);
}

static void expect(void *flags, int interrupted) {
  set_up(flags);
  const pid_t child = child_start(interrupt_parent, NULL);
  char byte = 0;
  const ssize_t got = read(ends[0], &byte, 1);
  if (interrupted) {
    ok(got == -1 && errno == EINTR, "read was interrupted");
  } else {
    ok(got == 1 && byte == 'x', "read went on, and has the byte");
  }
  child_wait(child);
}

static int restart = SA_RESTART, plain = 0;
static void with_restart(void *unused) {
  (void)unused;
  expect(&restart, 0);
  same(count, 1, "the handler was called");
}
static void without_restart(void *unused) {
  (void)unused;
  expect(&plain, 1);
  same(count, 1, "the handler was called");
}
static void ignored(void *unused) {
  (void)unused;
  expect(NULL, 0);
}

int main(void) {
  child_passes(with_restart, NULL, "SA_RESTART: the call goes on");
  child_passes(without_restart, NULL, "no SA_RESTART: the call ends with EINTR");
  child_passes(ignored, NULL, "SIG_IGN: the call goes on");
  return tap_done();
}
