/* Single steps, by the processor's trap flag, which a program sets for itself: each is a SIGTRAP. x86-64. */
#ifndef STEPPING_H
#define STEPPING_H

#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>

/* In EFLAGS. */
#define TRAP_FLAG 0x100
/* Pushes nothing into the red zone. */
#define CHANGE_FLAGS(change)                                                                                    \
  __asm__ volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\t" change "\n\tpopfq\n\tlea 128(%%rsp), %%rsp" ::: "memory", \
                   "cc")
#define STEP_FROM_HERE() CHANGE_FLAGS("orq $0x100, (%%rsp)")
#define STEP_NO_MORE() CHANGE_FLAGS("andq $~0x100, (%%rsp)")

static inline int is_at(uintptr_t pc, const char *two_bytes) { return memcmp((const void *)pc, two_bytes, 2) == 0; }

/* The next step is the system call that changes the thread's signal mask. */
static inline int changes_the_mask(const void *context) {
  const greg_t *const registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
  return is_at((uintptr_t)registers[REG_RIP], "\x0f\x05") && registers[REG_RAX] == SYS_rt_sigprocmask;
}

#endif
