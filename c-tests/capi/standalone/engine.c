#include "engine.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const int signals[] = {SIGSEGV, SIGBUS};
static struct sigaction earlier[2];
static void *page;
static size_t size;
static volatile sig_atomic_t mended;

static void handler(int signal, siginfo_t *info, void *context) {
  const struct sigaction *const before = &earlier[signal == SIGBUS];
  if ((uintptr_t)info->si_addr - (uintptr_t)page < size) {
    mended++;
    if (mprotect(page, size, PROT_READ | PROT_WRITE) != 0) abort();
  } else if ((before->sa_flags & SA_SIGINFO) != 0) {
    before->sa_sigaction(signal, info, context);
  } else {
    sigaction(signal, before, NULL);
  }
}

void engine_start(void *its_page, size_t its_size);
void engine_stop(void);
int engine_mended(void);

void engine_start(void *its_page, size_t its_size) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  page = its_page;
  size = its_size;
  for (int i = 0; i < 2; i++)
    if (sigaction(signals[i], &action, &earlier[i]) != 0) abort();
}

void engine_stop(void) {
  for (int i = 0; i < 2; i++)
    if (sigaction(signals[i], &earlier[i], NULL) != 0) abort();
}

int engine_mended(void) { return mended; }
