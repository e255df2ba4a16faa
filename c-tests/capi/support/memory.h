/*
 * Linear memory as an engine lays it out: `size` accessible bytes at the start of a larger reservation, the rest of
 * which is guard.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct linear_memory_t {
  unsigned char *base;
  size_t size;
  size_t reserved;
} linear_memory_t;

size_t page_size(void);
/* The smallest alternate signal stack that the kernel accepts. */
size_t smallest_signal_stack(void);
/* The smallest stack that a thread may have. */
size_t smallest_thread_stack(void);
/* `pages` accessible pages, then as many pages of guard as make 16 in all. */
linear_memory_t linear_memory_new(size_t pages);
void linear_memory_free(linear_memory_t *memory);
/*
 * Three kinds of pages that fault. What XNU makes of them (bsd/uxkern/ux_exception.c, ux_exception, for the signal;
 * bsd/dev/i386/unix_signal.c and bsd/dev/arm/unix_signal.c, sendsig, for its code):
 * - a protected page, mapped and not to be touched: KERN_PROTECTION_FAILURE, SIGBUS; so are the guard pages of threads
 *   and of mmap, but not that of the main thread's stack, which is SIGSEGV;
 * - a hole, where nothing is mapped: KERN_INVALID_ADDRESS, SIGSEGV, with SEGV_MAPERR on Intel and always SEGV_ACCERR on
 *   arm64.
 * On Linux both are SIGSEGV, with SEGV_ACCERR and SEGV_MAPERR.
 *
 * Defining INACCESSIBLE_PAGES_ARE_HOLES has inaccessible_page() do on Linux what it does on macOS, and
 * PROTECTED_PAGE_SIGNAL says what a simulated kernel makes of protected ones, so that programs that mistake the one for
 * the other are found out before a Mac does it.
 */
#if defined(__APPLE__)
#define PROTECTED_PAGE_SIGNAL SIGBUS
#define INACCESSIBLE_PAGES_ARE_HOLES
#elif !defined(PROTECTED_PAGE_SIGNAL)
#define PROTECTED_PAGE_SIGNAL SIGSEGV
#endif
#if defined(INACCESSIBLE_PAGES_ARE_HOLES) && !(defined(__APPLE__) && defined(__aarch64__))
#define INACCESSIBLE_PAGE_CODE SEGV_MAPERR
#else
#define INACCESSIBLE_PAGE_CODE SEGV_ACCERR
#endif
/* A page of which each touch is SIGSEGV, with INACCESSIBLE_PAGE_CODE: a protected page on Linux, a hole on macOS. */
unsigned char *inaccessible_page(void);
unsigned char *protected_page(void);
/* A page's room with nothing in it. */
unsigned char *hole(void);
/* Makes the page that `address` is in readable and writable. Signal-safe. */
void make_accessible(void *address);
void make_inaccessible(void *address);
/* Number of mappings of this process. */
size_t count_mappings(void);
/* Bytes that malloc has given out. */
size_t count_allocated(void);

#ifdef __cplusplus
}
#endif

#endif
