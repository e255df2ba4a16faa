/* A thread that waits for a message runs its signal handlers meanwhile; mach_msg goes on waiting unless it was asked to
 * tell; waits have their ends. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "host_profile.h"

static mach_port_t port;
static volatile sig_atomic_t handled;

typedef struct plain {
  mach_msg_header_t header;
  mach_msg_max_trailer_t trailer;
} plain_t;

static mach_msg_return_t send_to(mach_port_t to, mach_msg_option_t option, mach_msg_timeout_t timeout) {
  mach_msg_header_t message;
  memset(&message, 0, sizeof message);
  message.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_MAKE_SEND, 0);
  message.msgh_remote_port = to;
  return mach_msg(&message, MACH_SEND_MSG | option, sizeof message, 0, MACH_PORT_NULL, timeout, MACH_PORT_NULL);
}

/* The handler itself ends the waiting, some time after the interruption. */
static volatile sig_atomic_t wake_up_at;
static void on_signal(int signal) {
  (void)signal;
  if (++handled == wake_up_at) must(send_to(port, 0, 0) == MACH_MSG_SUCCESS);
}

static pthread_t waiter;
static volatile int over;

/* Signals until the waiting is over: some may come before it begins. */
static void *keep_signalling(void *unused) {
  const struct timespec pause = {0, 2000000};
  while (!over) {
    pthread_kill(waiter, SIGUSR1);
    nanosleep(&pause, NULL);
  }
  return unused;
}

static mach_msg_return_t receive(mach_msg_option_t option, mach_msg_timeout_t timeout) {
  plain_t message;
  return mach_msg(&message.header, MACH_RCV_MSG | option, 0, sizeof message, port, timeout, MACH_PORT_NULL);
}

static mach_msg_return_t interrupted(mach_msg_option_t option, int message_at) {
  pthread_t thread;
  handled = over = 0;
  wake_up_at = message_at;
  waiter = pthread_self();
  must(pthread_create(&thread, NULL, keep_signalling, NULL) == 0);
  const mach_msg_return_t result = receive(option, 0);
  over = 1;
  must(pthread_join(thread, NULL) == 0);
  return result;
}

static void *drain(void *unused) {
  (void)unused;
  for (int i = 0; i < 6; i++) must(receive(0, 0) == MACH_MSG_SUCCESS);
  return NULL;
}

int main(void) {
  port = new_port();
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  must(sigaction(SIGUSR1, &action, NULL) == 0);
  same(interrupted(0, 3), MACH_MSG_SUCCESS, "mach_msg waits on through signals, until there is a message");
  ok(handled >= 3, "and the handlers have run");
  same(interrupted(MACH_RCV_INTERRUPT, -1), MACH_RCV_INTERRUPTED, "asked to tell, it tells");
  while (receive(MACH_RCV_TIMEOUT, 0) == MACH_MSG_SUCCESS) continue;
  same(receive(MACH_RCV_TIMEOUT, 0), MACH_RCV_TIMED_OUT, "no time, no message");
  same(receive(MACH_RCV_TIMEOUT, 5), MACH_RCV_TIMED_OUT, "a little time, no message");
  must(send_to(port, 0, 0) == MACH_MSG_SUCCESS);
  same(receive(MACH_RCV_TIMEOUT, 100000), MACH_MSG_SUCCESS, "much time, and the message that is there");

  for (int i = 0; i < MACH_PORT_QLIMIT_DEFAULT; i++) must(send_to(port, 0, 0) == MACH_MSG_SUCCESS);
  same(send_to(port, MACH_SEND_TIMEOUT, 0), MACH_SEND_TIMED_OUT, "a queue that is full takes nothing");
  same(send_to(port, MACH_SEND_TIMEOUT, 5), MACH_SEND_TIMED_OUT, "not in a little time either");
  pthread_t thread;
  must(pthread_create(&thread, NULL, drain, NULL) == 0);
  same(send_to(port, 0, 0), MACH_MSG_SUCCESS, "who waits for room gets it");
  must(pthread_join(thread, NULL) == 0);
  same(receive(MACH_RCV_TIMEOUT, 0), MACH_RCV_TIMED_OUT, "and all messages have come");

  errno = 0;
  same(simulated_inject(MACH_PORT_NULL, SIMULATED_INTERRUPT_RECEIVE), KERN_SUCCESS, "an interruption on request");
  same(receive(MACH_RCV_INTERRUPT | MACH_RCV_TIMEOUT, 100000), MACH_RCV_INTERRUPTED, "comes");
  same(errno, 0, "errno is nobody's business here");
  return tap_done();
}
