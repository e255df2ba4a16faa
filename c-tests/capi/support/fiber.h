/*
 * Fibers as a host has them: stacks of their own, with a guard page, switched with ucontext(3) or, on Windows, by the
 * system; each has its own chain of protected calls, which is detached and attached at each switch as wasmtrap.h says.
 * A fiber may go on on any thread.
 */
#ifndef FIBER_H
#define FIBER_H

/* macOS still has these, and says so only to programs of the X/Open kind. */
#if defined(__APPLE__)
#define _XOPEN_SOURCE 600
#define _DARWIN_C_SOURCE 1
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
#endif
#if defined(_WIN32)
typedef void *fiber_context_t;
#else
#include <ucontext.h>
typedef ucontext_t fiber_context_t;
#endif

#include "wasmtrap.h"

typedef struct fiber_t {
  fiber_context_t own;
  fiber_context_t resumer;
  /* The guard, and the stack above it. */
  unsigned char *memory;
  wasmtrap_stack_t stack;
  wasmtrap_chain_t *chain;
  void (*function)(struct fiber_t *fiber, void *argument);
  void *argument;
  int finished;
  /* Set it before the first switch: the host tells the library nothing, as hosts must not do. */
  int undeclared;
} fiber_t;

/* A fiber that has not started. The memory is freed by fiber_free. */
fiber_t *fiber_new(void (*function)(fiber_t *fiber, void *argument), void *argument);
void fiber_free(fiber_t *fiber);
/* Runs the fiber until it yields or ends. The calling stack's protected calls wait meanwhile. */
void fiber_resume(fiber_t *fiber);
/* Back to whoever resumed this fiber. */
void fiber_yield(fiber_t *fiber);

#endif
