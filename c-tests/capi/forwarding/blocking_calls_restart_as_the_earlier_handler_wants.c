/* A signal that is sent to a thread in a blocking system call ends the call with EINTR, or has it go on, as the handler
 * that was there before asked by SA_RESTART; an ignored signal never ends it. */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

static int ends[2];
static volatile int count;
/* Shared with the child: the parent's read has returned. */
static volatile int *returned;

static void on_signal(int signal) {
  (void)signal;
  count++;
}

/* Signals until one has found the parent in its read. */
static void interrupt_parent(void *unused) {
  (void)unused;
  while (!*returned) {
    wait_until_asleep(getppid());
    kill(getppid(), SIGFPE);
  }
}

/* Signals, all of which the read survives; then the byte that it waits for. */
static void disturb_parent(void *unused) {
  (void)unused;
  for (int i = 0; i < 20 && !*returned; i++) {
    wait_until_asleep(getppid());
    kill(getppid(), SIGFPE);
  }
  wait_until_asleep(getppid());
  if (write(ends[1], "x", 1) != 1) _exit(5);
}

static void read_under(const struct sigaction *action, int interrupted) {
  must(sigaction(SIGFPE, action, NULL) == 0);
  host_init();
  must(pipe(ends) == 0);
  returned = mmap(NULL, sizeof *returned, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  must(returned != MAP_FAILED);
  const pid_t child = child_start(interrupted ? interrupt_parent : disturb_parent, NULL);
  char byte = 0;
  const ssize_t got = read(ends[0], &byte, 1);
  const int error = errno;
  *returned = 1;
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
  ok(count > 0, "the handler was called");
}

static void without_restart(void *unused) {
  (void)unused;
  const struct sigaction action = {.sa_handler = on_signal};
  read_under(&action, 1);
  ok(count > 0, "the handler was called");
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
