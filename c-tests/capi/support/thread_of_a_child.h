/* A thread that a forked child makes. */
#ifndef THREAD_OF_A_CHILD_H
#define THREAD_OF_A_CHILD_H

#include <pthread.h>

#include "host.h"

static inline void *trap_on_a_thread(void *trapped) {
  same_text(wasmtrap_last_error(), "", "a thread of the child's own has no error");
  *(int *)trapped = library_traps();
  return NULL;
}

/* It has no error yet, traps, and has ended. QEMU's user emulation aborts here, by itself: after a fork it still knows
 * the threads of the parent. */
static inline void a_thread_of_the_childs_traps(void) {
#if !EMULATED
  pthread_t thread;
  int trapped = 0;
  must(pthread_create(&thread, NULL, trap_on_a_thread, &trapped) == 0);
  must(pthread_join(thread, NULL) == 0);
  ok(trapped, "and traps");
#endif
}

#endif
