/* memory.h for Windows. */
#include "memory.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#include <windows.h>

#include "tap.h"

enum { RESERVED_PAGES = 16 };

size_t page_size(void) {
  SYSTEM_INFO system;
  GetSystemInfo(&system);
  return system.dwPageSize;
}

size_t smallest_thread_stack(void) { return 64 * 1024; }

linear_memory_t linear_memory_new(size_t pages) {
  linear_memory_t memory;
  memory.size = pages * page_size();
  memory.reserved = RESERVED_PAGES * page_size();
  /* As an engine has it: the guard is address space without memory. */
  memory.base = VirtualAlloc(NULL, memory.reserved, MEM_RESERVE, PAGE_NOACCESS);
  must(memory.base != NULL);
  must(memory.size == 0 || VirtualAlloc(memory.base, memory.size, MEM_COMMIT, PAGE_READWRITE) != NULL);
  return memory;
}

void linear_memory_free(linear_memory_t *memory) {
  must(VirtualFree(memory->base, 0, MEM_RELEASE) != 0);
  memory->base = NULL;
}

unsigned char *protected_page(void) {
  unsigned char *const page = VirtualAlloc(NULL, page_size(), MEM_RESERVE | MEM_COMMIT, PAGE_NOACCESS);
  must(page != NULL);
  return page;
}

unsigned char *inaccessible_page(void) { return protected_page(); }

unsigned char *hole(void) {
  unsigned char *const page = protected_page();
  must(VirtualFree(page, 0, MEM_RELEASE) != 0);
  return page;
}

void make_accessible(void *address) {
  DWORD before;
  if (VirtualProtect(address, 1, PAGE_READWRITE, &before) == 0) _exit(254);
}

void make_inaccessible(void *address) {
  DWORD before;
  must(VirtualProtect(address, 1, PAGE_NOACCESS, &before) != 0);
}

/* Allocations of pages, whatever is in them: VirtualAlloc's, images, views, stacks, the parts of heaps. */
size_t count_mappings(void) {
  size_t count = 0;
  void *last = NULL;
  MEMORY_BASIC_INFORMATION part;
  for (unsigned char *at = NULL; VirtualQuery(at, &part, sizeof part) != 0;
       at = (unsigned char *)part.BaseAddress + part.RegionSize) {
    if (part.State != MEM_FREE && part.AllocationBase != last) count++;
    last = part.State != MEM_FREE ? part.AllocationBase : NULL;
  }
  return count;
}

/* Of each heap of the process: the C library has one of its own. */
size_t count_allocated(void) {
  enum { MOST_HEAPS = 64 };
  HANDLE heaps[MOST_HEAPS];
  const DWORD count = GetProcessHeaps(MOST_HEAPS, heaps);
  must(count != 0 && count <= MOST_HEAPS);
  size_t bytes = 0;
  for (DWORD i = 0; i < count; i++) {
    PROCESS_HEAP_ENTRY entry;
    entry.lpData = NULL;
    must(HeapLock(heaps[i]) != 0);
    while (HeapWalk(heaps[i], &entry) != 0) {
      if ((entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) != 0) bytes += entry.cbData;
    }
    must(HeapUnlock(heaps[i]) != 0);
  }
  return bytes;
}
