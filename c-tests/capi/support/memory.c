#include "memory.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <mach/mach.h>
#include <malloc/malloc.h>
#else
#include <malloc.h>
#include <sys/auxv.h>
#endif

#include "tap.h"

enum { RESERVED_PAGES = 16 };

size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

size_t smallest_signal_stack(void) {
#if defined(__APPLE__)
  return 8 * 1024; /* OLDMINSIGSTKSZ of sigaltstack, XNU's bsd/kern/kern_sig.c */
#else
  /* The kernel's MINSIGSTKSZ (arch/.../include/uapi/asm/signal.h). glibc's is four times what the kernel needs. */
#if defined(__aarch64__)
  const size_t least = 5 * 1024;
#else
  const size_t least = 2 * 1024;
#endif
  const size_t told = (size_t)getauxval(51); /* AT_MINSIGSTKSZ */
  return told > least ? told : least;
#endif
}

size_t smallest_thread_stack(void) { return (size_t)sysconf(_SC_THREAD_STACK_MIN); }

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

/* A part of the address space where no system puts anything by itself. */
#define HOLES UINT64_C(0x500000000000)
#define HOLES_END UINT64_C(0x510000000000)

static int is_hole(const void *address) { return address_of(address) >= HOLES && address_of(address) < HOLES_END; }

unsigned char *hole(void) {
  static uint64_t made;
  return (unsigned char *)(uintptr_t)(HOLES + 2 * page_size() * __atomic_add_fetch(&made, 1, __ATOMIC_RELAXED));
}

unsigned char *protected_page(void) {
  void *page = mmap(NULL, page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(page != MAP_FAILED);
  return page;
}

unsigned char *inaccessible_page(void) {
#if defined(INACCESSIBLE_PAGES_ARE_HOLES)
  return hole();
#else
  return protected_page();
#endif
}

static void *page_of(void *address) {
  return (unsigned char *)address - (uintptr_t)address % page_size();
}

void make_accessible(void *address) {
  if (is_hole(address)) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (mmap(page_of(address), page_size(), PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED) _exit(254);
    return;
  }
  if (mprotect(page_of(address), page_size(), PROT_READ | PROT_WRITE) != 0) _exit(254);
}

void make_inaccessible(void *address) {
  if (is_hole(address)) {
    must(munmap(page_of(address), page_size()) == 0);
    return;
  }
  must(mprotect(page_of(address), page_size(), PROT_NONE) == 0);
}

#if defined(__APPLE__)
/* Those that have no tag: mmap's. malloc comes and goes as it likes. */
size_t count_mappings(void) {
  size_t count = 0;
  vm_address_t address = 0;
  for (;;) {
    vm_size_t size = 0;
    natural_t depth = 0;
    vm_region_submap_info_data_64_t info;
    mach_msg_type_number_t length = VM_REGION_SUBMAP_INFO_COUNT_64;
    const kern_return_t result =
        vm_region_recurse_64(mach_task_self(), &address, &size, &depth, (vm_region_recurse_info_t)&info, &length);
    if (result != KERN_SUCCESS) return count;
    if (info.user_tag == 0 && !info.is_submap) count++;
    address += size;
  }
}

size_t count_allocated(void) {
  malloc_statistics_t statistics;
  malloc_zone_statistics(NULL, &statistics);
  return statistics.size_in_use;
}
#else
#if defined(__GLIBC__)
size_t count_allocated(void) { return mallinfo2().uordblks; }
#else
/* musl's malloc does not tell: what is mapped for data (proc(5), statm). */
size_t count_allocated(void) {
  FILE *statm = fopen("/proc/self/statm", "r");
  unsigned long pages = 0;
  must(statm != NULL && fscanf(statm, "%*u %*u %*u %*u %*u %lu", &pages) == 1);
  fclose(statm);
  return pages * page_size();
}
#endif

/* Without stdio, which may take a mapping for its buffer. */
size_t count_mappings(void) {
  const int maps = open("/proc/self/maps", O_RDONLY);
  must(maps >= 0);
  char piece[4096];
  size_t lines = 0;
  for (ssize_t length; (length = read(maps, piece, sizeof piece)) > 0;) {
    for (ssize_t i = 0; i < length; i++) {
      if (piece[i] == '\n') lines++;
    }
  }
  must(close(maps) == 0);
  return lines;
}
#endif
