/* A signal that is sent to a thread in a blocking system call ends the call with EINTR, or has it go on, as the handler
 * that was there before asked by SA_RESTART; an ignored signal never ends it. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

/* More than the parent sleeps elsewhere than in its read. */
enum { SIGNALS = 100 };

static int ends[2];
/* Shared with the child: how often the handler was called, and whether the parent's read has returned. */
static volatile struct {
  int count, returned;
} *shared;

static void on_signal(int signal) {
  (void)signal;
  shared->count++;
}

static void end_the_read(void) {
  wait_until_asleep(getppid());
  if (write(ends[1], "x", 1) != 1) _exit(5);
}

/* Signals until one has found the parent in its read, or so many have that it goes on for ever. */
static void interrupt_parent(void *unused) {
  (void)unused;
  for (int i = 0; i < SIGNALS && !shared->returned; i++) {
    const int before = shared->count;
    wait_until_asleep(getppid());
    kill(getppid(), SIGFPE);
    while (shared->count == before && !shared->returned) sched_yield();
  }
  if (!shared->returned) end_the_read();
}

/* Signals, all of which the read survives; then the byte that it waits for. */
static void disturb_parent(void *unused) {
  (void)unused;
  for (int i = 0; i < 20 && !shared->returned; i++) {
    wait_until_asleep(getppid());
    kill(getppid(), SIGFPE);
  }
  end_the_read();
}

static void read_under(const struct sigaction *action, int interrupted) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  must(shared != MAP_FAILED);
  must(sigaction(SIGFPE, action, NULL) == 0);
  host_init();
  must(pipe(ends) == 0);
  const pid_t child = child_start(interrupted ? interrupt_parent : disturb_parent, NULL);
  char byte = 0;
  const ssize_t got = read(ends[0], &byte, 1);
  const int error = errno;
  shared->returned = 1;
  if (interrupted) {
    ok(got == -1 && error == EINTR, "read was interrupted");
  } else {
    ok(got == 1 && byte == 'x', "read went on, and has the byte");
  }
  child_wait(child);
}

static void with_restart(void *unused) {
  (void)unused;
  const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  read_under(&action, 0);
  ok(shared->count > 0, "the handler was called");
}

static void without_restart(void *unused) {
  (void)unused;
  const struct sigaction action = {.sa_handler = on_signal};
  read_under(&action, 1);
  ok(shared->count > 0, "the handler was called");
}

static void ignored(void *unused) {
  (void)unused;
  const struct sigaction action = {.sa_handler = SIG_IGN};
  read_under(&action, 0);
}

int main(void) {
  child_passes(with_restart, NULL, "SA_RESTART: the call goes on");
  child_passes(without_restart, NULL, "no SA_RESTART: the call ends with EINTR");
  child_passes(ignored, NULL, "SIG_IGN: the call goes on");
  return tap_done();
}
