/* The state of another thread is read and written, whether it runs, waits in a call of Linux, in a call of Mach or in
 * an exception; threads are suspended, resumed, listed and ended. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "host_profile.h"

static volatile unsigned long rounds;
static volatile int stop;
static mach_port_t port;
static int pipe_ends[2];

typedef struct subject {
  const char *name;
  void *(*function)(void *);
  pthread_t thread;
  volatile mach_port_t port;
} subject_t;

static void *run(void *argument) {
  ((subject_t *)argument)->port = this_thread();
  while (!stop) rounds++;
  return argument;
}

static void *wait_in_linux(void *argument) {
  char byte;
  ((subject_t *)argument)->port = this_thread();
  must(read(pipe_ends[0], &byte, 1) == 1);
  return argument;
}

static void *wait_in_mach(void *argument) {
  struct {
    mach_msg_header_t header;
    mach_msg_max_trailer_t trailer;
  } message;
  ((subject_t *)argument)->port = this_thread();
  must(mach_msg(&message.header, MACH_RCV_MSG, 0, sizeof message, port, 0, MACH_PORT_NULL) == MACH_MSG_SUCCESS);
  return argument;
}

static void *sleep_for_ever(void *argument) {
  ((subject_t *)argument)->port = this_thread();
  while (pause() != 0) continue;
  return argument;
}

static void start(subject_t *subject) {
  must(pthread_create(&subject->thread, NULL, subject->function, subject) == 0);
  while (subject->port == MACH_PORT_NULL) continue;
}

static void look(subject_t *subject) {
  natural_t state[STATE_WORDS], again[STATE_WORDS];
  mach_msg_type_number_t count = STATE_WORDS;
  start(subject);
  same(thread_get_state(subject->port, STATE_FLAVOR, state, &count), KERN_SUCCESS, "%s: its state", subject->name);
  same(count, STATE_WORDS, "%s: all of it", subject->name);
  ok(state_pc(state) != 0, "%s: it is somewhere", subject->name);
  same(thread_suspend(subject->port), KERN_SUCCESS, "%s: suspended", subject->name);
  same(thread_suspend(subject->port), KERN_SUCCESS, "%s: twice", subject->name);
  must(thread_get_state(subject->port, STATE_FLAVOR, state, &count) == KERN_SUCCESS);
  const unsigned long before = rounds;
  usleep(2000);
  same(rounds, before, "%s: it does nothing", subject->name);
  must(thread_get_state(subject->port, STATE_FLAVOR, again, &count) == KERN_SUCCESS);
  ok(memcmp(state, again, sizeof state) == 0, "%s: and stays where it is", subject->name);
  if (host_guards_thread_state()) {
    tap_skip("that kills here", "%s: its state may be written", subject->name);
  } else {
    same(thread_set_state(subject->port, STATE_FLAVOR, state, count), KERN_SUCCESS, "%s: its state may be written",
         subject->name);
  }
  same(thread_resume(subject->port), KERN_SUCCESS, "%s: resumed", subject->name);
  same(thread_resume(subject->port), KERN_SUCCESS, "%s: as often as it was suspended", subject->name);
  same(thread_resume(subject->port), KERN_FAILURE, "%s: and no more", subject->name);
}

int main(void) {
  subject_t runner = {"a thread that runs", run, 0, 0};
  subject_t reader = {"one that waits in Linux", wait_in_linux, 0, 0};
  subject_t receiver = {"one that waits in Mach", wait_in_mach, 0, 0};
  subject_t sleeper = {"one that sleeps", sleep_for_ever, 0, 0};
  port = new_port();
  must(pipe(pipe_ends) == 0);
  look(&runner);
  stop = 1;
  must(pthread_join(runner.thread, NULL) == 0);
  look(&reader);
  must(write(pipe_ends[1], "x", 1) == 1 && pthread_join(reader.thread, NULL) == 0);
  look(&receiver);
  must(thread_suspend(receiver.port) == KERN_SUCCESS);
  mach_msg_header_t message;
  memset(&message, 0, sizeof message);
  message.msgh_bits = MACH_MSGH_BITS(MACH_MSG_TYPE_COPY_SEND, 0);
  message.msgh_remote_port = port;
  must(mach_msg(&message, MACH_SEND_MSG, sizeof message, 0, 0, 0, 0) == MACH_MSG_SUCCESS);
  must(thread_resume(receiver.port) == KERN_SUCCESS);
  same(pthread_join(receiver.thread, NULL), 0, "a message for a suspended thread reaches it when it is resumed");
  look(&sleeper);

  thread_act_array_t threads = NULL;
  mach_msg_type_number_t count = 0;
  same(task_threads(mach_task_self(), &threads, &count), KERN_SUCCESS, "all threads");
  same(count, 2, "two of them");
  same(threads[1], sleeper.port, "by their names");
  for (mach_msg_type_number_t i = 0; i < count; i++) must(mach_port_deallocate(mach_task_self(), threads[i]) == 0);
  must(vm_deallocate(mach_task_self(), (vm_address_t)threads, count * sizeof *threads) == KERN_SUCCESS);
  same(thread_terminate(sleeper.port), KERN_SUCCESS, "a thread is ended");
  same(pthread_join(sleeper.thread, NULL), 0, "and gone");
  natural_t state[STATE_WORDS];
  count = STATE_WORDS;
  same(thread_get_state(this_thread(), STATE_FLAVOR, state, &count), KERN_INVALID_ARGUMENT,
       "one's own state is not for oneself to read");
  return tap_done();
}
