/* Mappings have the protection that was asked for, are blank when they are new or remapped, and are gone when they are
 * unmapped; what cannot be had is an error number. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "platform.h"
#include "tap.h"

enum { PAGES = 16 };

int main(void) {
  size_t page = wasmtime_page_size();
  same(page, sysconf(_SC_PAGESIZE), "the page size is the system's");
  uint8_t *memory = NULL;

  same(wasmtime_mmap_new(PAGES * page, 0, &memory), 0, "a reservation");
  ok(!readable(memory), "cannot be read");
  same(wasmtime_mprotect(memory + page, page, WASMTIME_PROT_READ | WASMTIME_PROT_WRITE), 0, "a page of it is opened");
  ok(writable(memory + page) && writable(memory + 2 * page - 1), "it can be written");
  ok(!readable(memory) && !readable(memory + 2 * page), "its neighbours cannot be read");
  memory[page] = 7;
  same(wasmtime_mprotect(memory + page, page, WASMTIME_PROT_READ), 0, "it is closed to writes");
  ok(readable(memory + page) && !writable(memory + page), "it can be read only");
  same(memory[page], 7, "and has what was written");
  same(wasmtime_mmap_remap(memory + page, page, WASMTIME_PROT_READ | WASMTIME_PROT_WRITE), 0, "it is mapped anew");
  same(memory[page], 0, "and blank");
  same(wasmtime_mmap_remap(memory, PAGES * page, 0), 0, "all is hidden");
  ok(!readable(memory + page), "and cannot be read");
  same(wasmtime_munmap(memory, PAGES * page), 0, "all is unmapped");
  same(wasmtime_mprotect(memory, page, WASMTIME_PROT_READ), ENOMEM, "and not there any more");

  same(wasmtime_mmap_new(page, WASMTIME_PROT_READ | WASMTIME_PROT_WRITE, &memory), 0, "memory");
  ok(writable(memory) && memory[0] == 0, "is writable and blank");
  uint8_t *untouched = memory;
  same(wasmtime_mmap_new((uintptr_t)1 << 62, 0, &untouched), ENOMEM, "more than there are addresses is an error");
  ok(untouched == memory, "that leaves the result alone");
  same(wasmtime_mmap_new(0, 0, &untouched), EINVAL, "nothing is one too");
  same(wasmtime_munmap(memory, page), 0, "unmapped");
  return tap_done();
}
