/* A compiler at run time: it writes machine code, tells the library where in it a trap may happen, and runs it.
 *
 *   cc jit.c $(pkg-config --cflags --libs wasmtrap) && ./a.out
 *
 * What to take from it: code and memory are registered once, where they are made, and a load needs no bounds check: the
 * memory lies at the beginning of 8 GiB of address space that nothing else can be in, so that an address of 32 bits and
 * an offset of 32 bits never lead out of it. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "check.h"

#define RESERVED ((size_t)8 << 30)
#define MEMORY ((size_t)64 << 10)

/* load32(memory, address): with a frame of its own, so that a backtrace has it; TRAPS_AT is the load. */
#if defined(__x86_64__)
static const unsigned char load32[] = {
    0x55,             /* push %rbp */
    0x48, 0x89, 0xe5, /* mov %rsp, %rbp */
    0x89, 0xf6,       /* mov %esi, %esi: the address has 32 bits */
    0x8b, 0x04, 0x37, /* mov (%rdi,%rsi), %eax */
    0x5d, 0xc3,       /* pop %rbp; ret */
};
enum { TRAPS_AT = 6 };
#else
static const unsigned int load32[] = {
    0xa9bf7bfd, /* stp x29, x30, [sp, #-16]! */
    0x910003fd, /* mov x29, sp */
    0xb8614800, /* ldr w0, [x0, w1, uxtw] */
    0xa8c17bfd, /* ldp x29, x30, [sp], #16 */
    0xd65f03c0, /* ret */
};
enum { TRAPS_AT = 8 };
#endif

typedef struct {
  unsigned int (*code)(unsigned char *memory, unsigned int address);
  unsigned char *memory;
  unsigned int address, result;
} call_t;

static void enter(void *argument) {
  call_t *call = argument;
  call->result = call->code(call->memory, call->address);
}

int main(void) {
  CHECK(wasmtrap_init(NULL));

  unsigned char *memory = mmap(NULL, RESERVED, PROT_NONE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
  void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (memory == MAP_FAILED || code == MAP_FAILED || mprotect(memory, MEMORY, PROT_READ | PROT_WRITE) != 0) return 2;
  memory[100] = 42;
  memcpy(code, load32, sizeof load32);
  if (mprotect(code, 4096, PROT_READ | PROT_EXEC) != 0) return 2;
  __builtin___clear_cache((char *)code, (char *)code + sizeof load32);

  const wasmtrap_site_t sites[] = {{TRAPS_AT, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS}};
  wasmtrap_code_desc_t code_desc = {0};
  code_desc.struct_size = sizeof code_desc;
  code_desc.start = code;
  code_desc.length = sizeof load32;
  code_desc.sites = sites;
  code_desc.site_count = 1;
  code_desc.flags = WASMTRAP_CODE_STRICT;
  wasmtrap_region_desc_t region_desc = {0};
  region_desc.struct_size = sizeof region_desc;
  region_desc.base = memory;
  region_desc.length = RESERVED;
  uint64_t code_id, region_id;
  CHECK(wasmtrap_code_register(&code_desc, &code_id));
  CHECK(wasmtrap_region_register(&region_desc, &region_id));

  call_t call = {0};
  memcpy(&call.code, &code, sizeof code);
  call.memory = memory;
  const unsigned int addresses[] = {100, MEMORY, 0xffffffff, 100};
  for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
    wasmtrap_trap_t trap = {0};
    trap.struct_size = sizeof trap;
    call.address = addresses[i];
    if (CHECK(wasmtrap_call(enter, &call, &trap)) == WASMTRAP_OK) {
      printf("load32(%u) = %u\n", call.address, call.result);
    } else {
      printf("load32(%u): %s, %s, address 0x%zx\n", call.address, wasmtrap_code_name(trap.code),
             trap.code_offset == TRAPS_AT ? "at its load" : "elsewhere", trap.region_offset);
    }
  }

  CHECK(wasmtrap_region_unregister(region_id));
  CHECK(wasmtrap_code_unregister(code_id));
  CHECK(wasmtrap_shutdown());
  return 0;
}
