/* What leads through the library, each by itself, so that a tracer can step through it. */
#ifndef WAYS_H
#define WAYS_H

#include <stddef.h>

typedef struct way_t {
  const char *name;
  /* Flags of a handler that the host has before the library, or NO_HANDLER. */
  int handler;
  /* wasmtrap_thread_attach before the first call, and a call before the one that is stepped through. */
  int attached;
  void (*go)(void);
  /* It goes through more of the library's instructions than this. */
  int longer_than;
} way_t;

enum { NO_HANDLER = -1 };

extern const way_t ways[];
extern const size_t way_count;

/* Makes this process ready and goes the way, between two stops by SIGSTOP for a tracer and between calls of
 * stepping_begins and stepping_ends for a debugger. */
void take_way(const way_t *way);
void stepping_begins(void);
void stepping_ends(void);

#endif
