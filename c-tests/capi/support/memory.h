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
/* `pages` accessible pages, then as many pages of guard as make 16 in all. */
linear_memory_t linear_memory_new(size_t pages);
void linear_memory_free(linear_memory_t *memory);
/* A page that may not be touched; a fault there is SIGSEGV. */
unsigned char *inaccessible_page(void);
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
