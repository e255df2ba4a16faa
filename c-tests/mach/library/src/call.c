#include "call.h"

enum { MACH_CALL = 0x6d6163 }; /* trace/seccomp.rs */

/* Not syscall(3), which changes errno. */
static long raw_call(long operation, const uint64_t *arguments) {
#if defined(__x86_64__)
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"((long)MACH_CALL), "D"(operation), "S"(arguments)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long number __asm__("x8") = MACH_CALL;
  register long first __asm__("x0") = operation;
  register const uint64_t *second __asm__("x1") = arguments;
  __asm__ volatile("svc 0" : "+r"(first) : "r"(number), "r"(second) : "memory");
  return first;
#else
#error "no system call for this architecture"
#endif
}

kern_return_t call_kernel(enum operation operation, const uint64_t arguments[ARGUMENTS_MAX]) {
  enum { NO_SUCH_CALL = -38 }; /* -ENOSYS */
  const long result = raw_call((long)operation, arguments);
  return result == NO_SUCH_CALL ? KERN_NOT_SUPPORTED : (kern_return_t)result;
}
