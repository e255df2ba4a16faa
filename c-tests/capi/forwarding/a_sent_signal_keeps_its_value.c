/* What a sender puts into a signal reaches the handler that was there before the library. */
#include <signal.h>
#include <unistd.h>

#include "handlers.h"
#include "host.h"

static siginfo_t received;
static volatile int count;

static void on_signal(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  received = *info;
  count++;
}

int main(void) {
  install_handler(SIGSEGV, on_signal, 0);
  host_init();

  const union sigval value = {.sival_int = 4711};
  must(sigqueue(getpid(), SIGSEGV, value) == 0);
  same(count, 1, "the handler was called once");
  same(received.si_signo, SIGSEGV, "signal");
  same(received.si_code, SI_QUEUE, "code");
  same(received.si_value.sival_int, 4711, "value");
  same(received.si_pid, getpid(), "sender");
  same(received.si_uid, getuid(), "its user");
  return tap_done();
}
