/* A user's program for Windows, as small as one can be that traps for real: a load from a page that may not be read, in
 * code of its own that stands in for compiled WebAssembly. It exits with 0 if the trap was caught, with the right code
 * and address. */
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <wasmtrap.h>

#if defined(__aarch64__)
/* ldr w0, [x0]; ret */
static const unsigned char load[] = {0x00, 0x00, 0x40, 0xb9, 0xc0, 0x03, 0x5f, 0xd6};
#else
/* mov (%rcx), %eax; ret */
static const unsigned char load[] = {0x8b, 0x01, 0xc3};
#endif

enum { GUARD_SIZE = 65536, WASM_ADDRESS = 4660 };

static int check(wasmtrap_status_t status, const char *what) {
  if (status < 0) fprintf(stderr, "%s: %s: %s\n", what, wasmtrap_status_name(status), wasmtrap_last_error());
  return status >= 0;
}

int main(void) {
  unsigned char *const memory = VirtualAlloc(NULL, GUARD_SIZE, MEM_RESERVE, PAGE_NOACCESS);
  void *const code_memory = VirtualAlloc(NULL, sizeof load, MEM_RESERVE | MEM_COMMIT, PAGE_EXECUTE_READWRITE);
  wasmtrap_code_desc_t code = {0};
  wasmtrap_region_desc_t region = {0};
  wasmtrap_trap_t trap = {0};
  uint64_t code_id, region_id;
  wasmtrap_function_t function;

  if (memory == NULL || code_memory == NULL) return 2;
  memcpy(code_memory, load, sizeof load);
  FlushInstructionCache(GetCurrentProcess(), code_memory, sizeof load);
  memcpy(&function, &code_memory, sizeof function);
  code.struct_size = sizeof code;
  code.start = code_memory;
  code.length = sizeof load;
  code.flags = WASMTRAP_CODE_STRICT;
  region.struct_size = sizeof region;
  region.base = memory;
  region.length = GUARD_SIZE;
  trap.struct_size = sizeof trap;

  if (!check(wasmtrap_init(NULL), "wasmtrap_init") ||
      !check(wasmtrap_code_register(&code, &code_id), "wasmtrap_code_register") ||
      !check(wasmtrap_region_register(&region, &region_id), "wasmtrap_region_register"))
    return 2;
  if (wasmtrap_call(function, memory + WASM_ADDRESS, &trap) != WASMTRAP_TRAPPED) return 1;
  printf("%s at address %u\n", wasmtrap_code_name(trap.code), (unsigned)trap.region_offset);
  return trap.code == WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS && trap.region_offset == WASM_ADDRESS ? 0 : 1;
}
