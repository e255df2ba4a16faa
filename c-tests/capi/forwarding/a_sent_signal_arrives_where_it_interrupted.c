/* A signal that a process sends, where the default action lies below the library's handler: it ends the process when
 * the handlers are through with it, and not in the midst of one that has called the library's, with nothing blocked. */
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static struct sigaction replaced;
static volatile int *returned;

static void calling_handler(int signal, siginfo_t *info, void *context) {
  replaced.sa_sigaction(signal, info, context);
  ++*returned;
}

typedef struct plan_t {
  int signal, flags;
} plan_t;

static void send(void *argument) {
  const plan_t *const plan = argument;
  host_init_with_signals();
  replaced = install_handler(plan->signal, calling_handler, plan->flags);
  must(kill(getpid(), plan->signal) == 0);
  tap_note("the process goes on");
}

static void try(int signal, int flags, const char *name) {
  plan_t plan = {signal, flags};
  *returned = 0;
  child_dies_of(signal, send, &plan, name);
  same(*returned, 1, "after the handler that called the library's had returned");
}

int main(void) {
  returned = mmap(NULL, sizeof *returned, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  must(returned != MAP_FAILED);
  try(SIGSEGV, SA_NODEFER, "SIGSEGV, with nothing blocked");
  try(SIGFPE, SA_NODEFER | SA_ONSTACK, "SIGFPE, with nothing blocked, on the alternate stack");
  try(SIGILL, SA_ONSTACK, "SIGILL, which is blocked in its handler");
  return tap_done();
}
