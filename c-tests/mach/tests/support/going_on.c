#include "going_on.h"

#include <signal.h>
#include <ucontext.h>

#include "tap.h"

volatile int signals;
volatile uint64_t signal_pc;
static fault_place_t *fault_place;

static void on_signal(int signal, siginfo_t *info, void *context) {
  ucontext_t *const machine = context;
  (void)signal;
  (void)info;
#if defined(__x86_64__)
  signal_pc = (uint64_t)machine->uc_mcontext.gregs[REG_RIP];
  machine->uc_mcontext.gregs[REG_RIP] = (greg_t)fault_place->behind;
#else
  signal_pc = machine->uc_mcontext.pc;
  machine->uc_mcontext.pc = fault_place->behind;
#endif
  signals++;
}

void go_on_behind(int signal, fault_place_t *place) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO;
  fault_place = place;
  must(sigaction(signal, &action, NULL) == 0);
}
