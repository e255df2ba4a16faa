/* What the harness uses of <sys/mman.h>, by VirtualAlloc: anonymous memory that is given back as a whole. */
#ifndef WINDOWS_MMAN_H
#define WINDOWS_MMAN_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum { MAP_PRIVATE = 2, MAP_FIXED = 16, MAP_ANONYMOUS = 32, MAP_NORESERVE = 0x4000 };
#define MAP_FAILED ((void *)-1)

void *mmap(void *address, size_t length, int protection, int flags, int file, long long offset);
int mprotect(void *address, size_t length, int protection);
/* The whole of what mmap gave, however long it is said to be. */
int munmap(void *address, size_t length);

#ifdef __cplusplus
}
#endif

#endif
