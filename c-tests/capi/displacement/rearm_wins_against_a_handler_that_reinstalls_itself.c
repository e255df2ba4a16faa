/* Some libraries install their handler again and again. wasmtrap_rearm after each time is never too often. */
#include <signal.h>

#include "handlers.h"
#include "host.h"

static struct sigaction replaced;
static volatile int calls;

/* Puts itself on top whenever it is called, and passes on. */
static void jack_in_the_box(int signal, siginfo_t *info, void *context) {
  calls++;
  struct sigaction mine = replaced;
  mine.sa_sigaction = jack_in_the_box;
  mine.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(signal, &mine, NULL);
  if (is_fault(info, context)) make_accessible(info->si_addr);
}

int main(void) {
  host_init();
  replaced = install_handler(SIGSEGV, jack_in_the_box, SA_ONSTACK);
  int rearmed = 0, trapped = 0, noticed = 0;
  for (int i = 0; i < 1000; i++) {
    if (wasmtrap_rearm() == WASMTRAP_OK) rearmed++;
    if (library_traps()) trapped++;
    raise(SIGSEGV);
    uint32_t kinds = 0;
    if (wasmtrap_check(&kinds) == WASMTRAP_OK && kinds == WASMTRAP_FAULT_MEMORY) noticed++;
  }
  same(rearmed, 1000, "rearmed each time");
  same(trapped, 1000, "traps were traps each time");
  same(noticed, 1000, "displaced each time");
  same(calls, 1000, "the handler was called once for each signal, and for no trap");
  return tap_done();
}
