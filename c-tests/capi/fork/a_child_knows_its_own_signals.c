/* A handler on top of the library that puts ours back and raises its signal, as CPython's faulthandler does, in a
 * forked child and in a child of that: what it raises is known for the process's own, and the trap is a trap. */
#include <signal.h>
#include <unistd.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

static volatile int stepped_back;
static struct sigaction found;

static void step_back_and_raise(int signal, siginfo_t *info, void *context) {
  (void)info;
  (void)context;
  if (++stepped_back > 10) _exit(20);
  sigaction(signal, &found, NULL);
  raise(signal);
}

static void trap(void) {
  stepped_back = 0;
  found = install_handler(SIGSEGV, step_back_and_raise, SA_NODEFER | SA_ONSTACK);
  ok(library_traps(), "a trap is a trap");
  same(stepped_back, 1, "by way of the newer handler");
  must(sigaction(SIGSEGV, &found, NULL) == 0);
}

static void in_a_child(void *generations) {
  trap();
  int left = *(const int *)generations - 1;
  if (left > 0) child_passes(in_a_child, &left, "a child of the child");
}

int main(void) {
  host_init_with_signals();
  trap();
  int generations = 2;
  child_passes(in_a_child, &generations, "a child");
  trap();
  return tap_done();
}
