/* A place where threads wait for each other. macOS has no pthread_barrier_t. */
#ifndef MEETING_H
#define MEETING_H

#include <pthread.h>

#include "tap.h"

typedef struct meeting_t {
  pthread_mutex_t mutex;
  pthread_cond_t all_here;
  /* How many threads meet. */
  unsigned count;
  unsigned waiting, meetings;
} meeting_t;

#define MEETING_OF(count) {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, count, 0, 0}

/* Returns when all have come. They may meet again and again. */
static inline void meet(meeting_t *meeting) {
  must(pthread_mutex_lock(&meeting->mutex) == 0);
  const unsigned this_one = meeting->meetings;
  if (++meeting->waiting == meeting->count) {
    meeting->waiting = 0;
    meeting->meetings++;
    must(pthread_cond_broadcast(&meeting->all_here) == 0);
  }
  while (meeting->meetings == this_one) must(pthread_cond_wait(&meeting->all_here, &meeting->mutex) == 0);
  must(pthread_mutex_unlock(&meeting->mutex) == 0);
}

#endif
