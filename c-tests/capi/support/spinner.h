/* A thread that stays inside of a protected call, in WebAssembly, until it is told to return. */
#ifndef SPINNER_H
#define SPINNER_H

#include <pthread.h>

#include "wasm_code.h"

typedef struct spinner_t {
  pthread_t thread;
  wasm_access_t state;
} spinner_t;

/* Returns when the thread is inside. wasm_spin must be registered. */
void spinner_start(spinner_t *spinner);
/* Returns when the thread has ended. */
void spinner_stop(spinner_t *spinner);

#endif
