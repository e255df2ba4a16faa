/*
 * Memory that runs out: one allocation of this thread's fails, the next ones are served again.
 *
 * The program that includes this has a malloc and an mmap of its own, which stand in for the C library's. On Windows,
 * where a program's own functions do not come before a DLL's, the library's imports are replaced
 * (c-tests/windows/support/scarce_memory_windows.c).
 */
#ifndef SCARCE_MEMORY_H
#define SCARCE_MEMORY_H

#if defined(_WIN32)
/* So many allocations of this thread's succeed, and then one fails. */
void memory_fails_after(int spared);
/* All succeed again. Returns whether one has failed meanwhile. */
int memory_is_enough(void);
#else
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* -1: all succeed; else how many succeed before one fails. */
static __thread int left = -1;
static __thread int failed;

static void memory_fails_after(int spared) {
  failed = 0;
  left = spared;
}

static int memory_is_enough(void) {
  left = -1;
  return failed;
}

static int fails(void) {
  if (left < 0 || left-- > 0) return 0;
  failed = 1;
  errno = ENOMEM;
  return 1;
}

/* glibc's own names of its allocator, for programs like this one. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails() ? NULL : __libc_calloc(count, size); }
void *realloc(void *memory, size_t size) { return fails() ? NULL : __libc_realloc(memory, size); }
void *aligned_alloc(size_t alignment, size_t size) { return fails() ? NULL : __libc_memalign(alignment, size); }
void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size) { return fails() ? NULL : __libc_memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
  if (fails()) return ENOMEM;
  *memory = __libc_memalign(alignment, size);
  return *memory != NULL ? 0 : ENOMEM;
}

void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
  if (fails()) return MAP_FAILED;
  return (void *)syscall(SYS_mmap, address, length, protection, flags, file, offset);
}
#endif

#endif
