/* Behind the end of a mapped file the kernel sends SIGBUS instead of SIGSEGV: an out-of-bounds access all the same. */
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  FILE *const file = tmpfile();
  must(file != NULL);
  must(ftruncate(fileno(file), (off_t)page_size()) == 0);
  unsigned char *const mapped = mmap(NULL, 2 * page_size(), PROT_READ, MAP_SHARED, fileno(file), 0);
  must(mapped != MAP_FAILED);
  host_register_region(mapped, 2 * page_size(), WASMTRAP_CODE_NONE);

  wasmtrap_trap_t trap;
  same(host_load(&wasm_load, mapped, &trap), WASMTRAP_OK, "inside of the file");
  trapped_with(host_load(&wasm_load, mapped + page_size() + 8, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "behind its end");
  reported_by(SIGBUS, BUS_ADRERR, trap);
  same(trap.fault_address, address_of(mapped + page_size() + 8), "fault address");
  same(trap.region_offset, page_size() + 8, "region offset");
  same(trap.access, if_told(trap.exception, WASMTRAP_ACCESS_READ), "access");

  must(ftruncate(fileno(file), 0) == 0);
  trapped_with(host_load(&wasm_load, mapped, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
               "a file that has become shorter");
  return tap_done();
}
