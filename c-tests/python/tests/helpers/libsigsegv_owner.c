/*
 * GNU libsigsegv, which owns SIGSEGV in many a process (CLISP, gawk): a page that its handler makes accessible at the
 * first touch, as a garbage collector does. For ctypes.
 */
#include <sigsegv.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

static char *page;
static size_t page_size;
static int faults;

/* 1 says that the fault has been mended. */
static int make_accessible(void *fault_address, int serious) {
  (void)serious;
  const char *address = fault_address;
  if (page == NULL || address < page || address >= page + page_size) return 0;
  faults++;
  return mprotect(page, page_size, PROT_READ | PROT_WRITE) == 0;
}

/* 0 on success. */
int owner_install(void) {
  page_size = (size_t)sysconf(_SC_PAGESIZE);
  void *mapping = mmap(NULL, page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return -1;
  page = mapping;
  return sigsegv_install_handler(make_accessible);
}

/* Touches the page, protected anew; returns how many faults libsigsegv has been given so far. */
int owner_touch(void) {
  if (mprotect(page, page_size, PROT_NONE) != 0) return -1;
  *(volatile char *)page = 1;
  return faults;
}
