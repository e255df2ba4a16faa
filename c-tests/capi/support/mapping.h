/* What is in the process's memory. */
#ifndef MAPPING_H
#define MAPPING_H

#include <stddef.h>
#include <sys/mman.h>

#include "memory.h"

/* Whether there is memory at an address, readable or not. */
static inline int is_mapped(const void *address) {
  char *const page = (char *)address - (size_t)address % page_size();
  return msync(page, page_size(), MS_ASYNC) == 0;
}

#endif
