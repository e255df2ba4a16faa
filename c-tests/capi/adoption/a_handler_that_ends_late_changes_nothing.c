/* An engine is released, and the host says what its signal is to do now, while a thread is in the engine's handler, as
 * the library has called it. What the host has said stays. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static volatile int entered, may_end;

static void slow_handler(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  entered = 1;
  while (!may_end) sched_yield();
  make_accessible(info->si_addr);
}

static void *fault(void *page) {
  must(*(volatile unsigned char *)page == 0);
  return NULL;
}

typedef enum { DEFAULT_ACTION, IGNORED, WHAT_WAS_FOUND, ANOTHER_HANDLER, CHOICES } choice_t;

static void released_meanwhile(void *argument) {
  const choice_t choice = *(const choice_t *)argument;
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  uint64_t id;
  must(wasmtrap_adopt_begin(WASMTRAP_CLIENT_DEFAULT) == WASMTRAP_OK);
  const struct sigaction found = install_handler(SIGSEGV, slow_handler, SA_ONSTACK);
  must(wasmtrap_adopt_end(0, &id) == WASMTRAP_OK);
  pthread_t thread;
  must(pthread_create(&thread, NULL, fault, inaccessible_page()) == 0);
  while (!entered) sched_yield();
  must(wasmtrap_adopt_release(id) == WASMTRAP_OK);
  struct sigaction wanted;
  memset(&wanted, 0, sizeof wanted);
  switch (choice) {
    case IGNORED: wanted.sa_handler = SIG_IGN; break;
    case WHAT_WAS_FOUND: wanted = found; break;
    case ANOTHER_HANDLER:
      wanted.sa_sigaction = mending_handler;
      wanted.sa_flags = SA_SIGINFO;
      break;
    default: wanted.sa_handler = SIG_DFL;
  }
  must(sigaction(SIGSEGV, &wanted, NULL) == 0);
  may_end = 1;
  must(pthread_join(thread, NULL) == 0);
  const struct sigaction now = disposition_of(SIGSEGV);
  ok(same_disposition(&wanted, &now), "it is what the host has said");
}

int main(void) {
  static const char *const names[CHOICES] = {"the default action", "ignored", "what the engine has found",
                                             "another handler"};
  for (choice_t choice = 0; choice < CHOICES; choice++) child_passes(released_meanwhile, &choice, names[choice]);
  return tap_done();
}
