/* Each fault arrives as the exception that XNU's user_trap makes of it, with its codes, and the thread goes on where
 * the answer says. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exception_server.h"
#include "host_profile.h"

static fault_place_t place;
static exception_server_t server;

static void check(int exception, int64_t code, int64_t subcode, const char *name) {
  same(server.last.exception, exception, "%s: the exception", name);
  same(server.last.code_count, 2, "%s: two codes", name);
  same(server.last.codes[0], code, "%s: the code", name);
  same(server.last.codes[1], subcode, "%s: the subcode", name);
}

int main(void) {
  host_must_have(NEEDS_DELIVERY);
  server_start(&server, answer_go_on, &place);
  must(take_exceptions(server.receive_from, WITH_CODES(EXCEPTION_STATE)) == KERN_SUCCESS);

  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  unsigned char *const pages = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(pages != MAP_FAILED && munmap(pages + page, page) == 0);
  must(mprotect(pages + 2 * page, page, PROT_READ) == 0);
  fault_load(&place, address_of(pages + page + 8));
  check(EXC_BAD_ACCESS, KERN_INVALID_ADDRESS, (int64_t)address_of(pages + page + 8), "a load of an unmapped address");
  fault_store(&place, address_of(pages + page + 16));
  check(EXC_BAD_ACCESS, KERN_INVALID_ADDRESS, (int64_t)address_of(pages + page + 16), "a store to one");
  fault_load(&place, address_of(pages + 24));
  check(EXC_BAD_ACCESS, KERN_PROTECTION_FAILURE, (int64_t)address_of(pages + 24), "a load of an inaccessible page");
  fault_store(&place, address_of(pages + 2 * page));
  check(EXC_BAD_ACCESS, KERN_PROTECTION_FAILURE, (int64_t)address_of(pages + 2 * page), "a store to a read-only page");

  const int file = fileno(tmpfile());
  unsigned char *const past_end = mmap(NULL, page, PROT_READ, MAP_SHARED, file, 0);
  must(past_end != MAP_FAILED);
  fault_load(&place, address_of(past_end));
  check(EXC_BAD_ACCESS, KERN_MEMORY_ERROR, (int64_t)address_of(past_end), "a load behind the end of a mapped file");

#if defined(__x86_64__)
  fault_load(&place, 0x8000000000000000u);
  check(EXC_BAD_ACCESS, EXC_I386_GPFLT, 0, "a load of a non-canonical address");
  fault_privileged(&place);
  check(EXC_BAD_ACCESS, EXC_I386_GPFLT, 0, "hlt");
  fault_illegal(&place);
  check(EXC_BAD_INSTRUCTION, EXC_I386_INVOP, 0, "ud2");
  same(state_pc(server.last.state), place.behind, "ud2: the answer's program counter");
  fault_divide(&place);
  check(EXC_ARITHMETIC, EXC_I386_DIV, 0, "a division by zero");
  fault_breakpoint(&place);
  check(EXC_BREAKPOINT, EXC_I386_BPT, 0, "int3");
#else
  fault_illegal(&place);
  check(EXC_BAD_INSTRUCTION, EXC_ARM_UNDEFINED, 0, "udf");
  fault_breakpoint(&place);
  check(EXC_BREAKPOINT, EXC_ARM_BREAKPOINT, (int64_t)place.at, "brk");
#endif
  return tap_done();
}
