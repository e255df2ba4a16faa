/* The third argument of a signal handler, the interrupted registers, by name. Signal-safe. */
#ifndef CONTEXT_H
#define CONTEXT_H

#include <stddef.h>
#include <ucontext.h>

static inline size_t context_pc(const void *context) {
  const ucontext_t *const machine = (const ucontext_t *)context;
#if defined(__x86_64__)
  return (size_t)machine->uc_mcontext.gregs[REG_RIP];
#else
  return (size_t)machine->uc_mcontext.pc;
#endif
}

static inline void context_set_pc(void *context, size_t pc) {
  ucontext_t *const machine = (ucontext_t *)context;
#if defined(__x86_64__)
  machine->uc_mcontext.gregs[REG_RIP] = (greg_t)pc;
#else
  machine->uc_mcontext.pc = pc;
#endif
}

static inline size_t context_sp(const void *context) {
  const ucontext_t *const machine = (const ucontext_t *)context;
#if defined(__x86_64__)
  return (size_t)machine->uc_mcontext.gregs[REG_RSP];
#else
  return (size_t)machine->uc_mcontext.sp;
#endif
}

#endif
