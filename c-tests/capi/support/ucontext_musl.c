/* ucontext(3) for musl, which declares it and leaves it to libucontext: as much of it as fiber.c needs. Empty
 * elsewhere. */
#include <stdlib.h>

#if defined(__linux__) && !defined(__GLIBC__) && defined(__x86_64__)
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <ucontext.h>

/* switch_stacks(place, stack): leaves its own stack's pointer in `place` and goes on with `stack`. begin_stack takes
 * from there what makecontext has put on a new one: the function in rbx, and its arguments in r12 and r13. */
__asm__(".text\n"
        ".type switch_stacks, @function\n"
        "switch_stacks:\n"
        "  push %rbp\n  push %rbx\n  push %r12\n  push %r13\n  push %r14\n  push %r15\n"
        "  mov %rsp, (%rdi)\n"
        "  mov %rsi, %rsp\n"
        "  pop %r15\n  pop %r14\n  pop %r13\n  pop %r12\n  pop %rbx\n  pop %rbp\n"
        "  ret\n"
        ".size switch_stacks, . - switch_stacks\n"
        ".type begin_stack, @function\n"
        "begin_stack:\n"
        "  mov %r12, %rdi\n"
        "  mov %r13, %rsi\n"
        "  call *%rbx\n"
        "  ud2\n"
        ".size begin_stack, . - begin_stack\n");
extern void switch_stacks(uint64_t *place, uint64_t stack);
extern void begin_stack(void);

int getcontext(ucontext_t *context) { return pthread_sigmask(SIG_SETMASK, NULL, &context->uc_sigmask); }

void makecontext(ucontext_t *context, void (*function)(void), int count, ...) {
  uint64_t arguments[2] = {0};
  va_list list;
  va_start(list, count);
  for (int i = 0; i < count && i < 2; i++) arguments[i] = va_arg(list, unsigned);
  va_end(list);
  uint64_t *stack = (uint64_t *)((char *)context->uc_stack.ss_sp + context->uc_stack.ss_size);
  *--stack = 0; /* two words, for a stack that is aligned at the call */
  *--stack = 0;
  *--stack = (uintptr_t)begin_stack;
  *--stack = 0; /* rbp: the last frame */
  *--stack = (uintptr_t)function;
  *--stack = arguments[0];
  *--stack = arguments[1];
  *--stack = 0;
  *--stack = 0;
  context->uc_mcontext.gregs[REG_RSP] = (long long)(uintptr_t)stack;
}

int swapcontext(ucontext_t *from, const ucontext_t *to) {
  const int error = pthread_sigmask(SIG_SETMASK, &to->uc_sigmask, &from->uc_sigmask);
  if (error == 0) switch_stacks((uint64_t *)&from->uc_mcontext.gregs[REG_RSP], to->uc_mcontext.gregs[REG_RSP]);
  return error;
}
#else
typedef int not_empty; /* ISO C has no empty files */
#endif
