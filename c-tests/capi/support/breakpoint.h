/* A breakpoint in the processor's own registers, as a debugger has it: on Linux, on x86-64. */
#ifndef BREAKPOINT_H
#define BREAKPOINT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/user.h>

static inline int set_debug_register(pid_t child, size_t number, uintptr_t value) {
  return ptrace(PTRACE_POKEUSER, child, (void *)(offsetof(struct user, u_debugreg) + number * sizeof(long)),
                (void *)value) == 0;
}

/* Stops the child before it runs the instruction at an address. 0 where there are no such registers to be had. */
static inline int set_breakpoint(pid_t child, uintptr_t address) {
  /* The first register's address, for fetches, on this thread alone. */
  return set_debug_register(child, 0, address) && set_debug_register(child, 7, 1);
}

static inline int clear_breakpoint(pid_t child) { return set_debug_register(child, 7, 0); }

#endif
