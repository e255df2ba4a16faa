/* How the library calls the simulated kernel: one system call that Linux does not have, at which the tracer stops the
 * thread. Without the tracer it is refused, and so is every Mach call then. */
#ifndef CALL_H
#define CALL_H

#include <stdint.h>

#include <mach/kern_return.h>

enum operation {
#define KERNEL_CALL(name) OPERATION_##name,
#define LIBRARY_CALL(name) OPERATION_##name,
#include "operations.def"
#undef KERNEL_CALL
#undef LIBRARY_CALL
  OPERATION_COUNT
};

/* As many as the kernel reads, whatever the call has. */
enum { ARGUMENTS_MAX = 10 };

/* The result of the operation; KERN_NOT_SUPPORTED without a simulated kernel. */
kern_return_t call_kernel(enum operation operation, const uint64_t arguments[ARGUMENTS_MAX]);

/* CALL(name, arguments...): every argument as 64 bits. Pointers through POINTER. */
#define CALL(name, ...) call_kernel(OPERATION_##name, (const uint64_t[ARGUMENTS_MAX]){__VA_ARGS__})
#define POINTER(pointer) ((uint64_t)(uintptr_t)(pointer))

#endif
