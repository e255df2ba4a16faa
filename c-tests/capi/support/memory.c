#include "memory.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"

enum { RESERVED_PAGES = 16 };

size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

linear_memory_t linear_memory_new(size_t pages) {
  linear_memory_t memory;
  memory.size = pages * page_size();
  memory.reserved = RESERVED_PAGES * page_size();
  void *base = mmap(NULL, memory.reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(base != MAP_FAILED);
  must(memory.size == 0 || mprotect(base, memory.size, PROT_READ | PROT_WRITE) == 0);
  memory.base = base;
  return memory;
}

void linear_memory_free(linear_memory_t *memory) {
  must(munmap(memory->base, memory->reserved) == 0);
  memory->base = NULL;
}

unsigned char *inaccessible_page(void) {
  void *page = mmap(NULL, page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(page != MAP_FAILED);
  return page;
}

static void *page_of(void *address) {
  return (unsigned char *)address - (uintptr_t)address % page_size();
}

void make_accessible(void *address) {
  if (mprotect(page_of(address), page_size(), PROT_READ | PROT_WRITE) != 0) _exit(254);
}

void make_inaccessible(void *address) { must(mprotect(page_of(address), page_size(), PROT_NONE) == 0); }

size_t count_mappings(void) {
  FILE *maps = fopen("/proc/self/maps", "r");
  must(maps != NULL);
  size_t lines = 0;
  for (int c = fgetc(maps); c != EOF; c = fgetc(maps)) {
    if (c == '\n') lines++;
  }
  fclose(maps);
  return lines;
}
