/*
 * A program as MSVC makes it, without a C library: a trap of code of its own, by the DLL's import library for MSVC's
 * linker. Its exit status tells.
 */
#include <wasmtrap.h>

enum { ADDRESS = 4660 };

__declspec(dllimport) void __stdcall ExitProcess(unsigned status);
__declspec(noinline) static void load(void *address) {
  *(volatile char *)address;
}
/* Behind it, so that its address is the end of the other, or further on. */
__declspec(noinline) static void nothing(void *unused) { (void)unused; }

static int trapped_as_it_must(void) {
  static wasmtrap_code_desc_t code;
  static wasmtrap_trap_t trap;
  const char *const one = (const char *)load, *const other = (const char *)nothing;
  uint64_t id = 0;
  code.struct_size = sizeof code;
  code.start = one < other ? one : other;
  code.length = (size_t)(one < other ? other - one : one - other) + 32;
  trap.struct_size = sizeof trap;
  if (wasmtrap_init(NULL) != WASMTRAP_OK || wasmtrap_code_register(&code, &id) != WASMTRAP_OK) return 0;
  if (wasmtrap_call(nothing, NULL, &trap) != WASMTRAP_OK) return 0;
  if (wasmtrap_call(load, (void *)(uintptr_t)ADDRESS, &trap) != WASMTRAP_TRAPPED) return 0;
  return trap.code == WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS && trap.fault_address == ADDRESS;
}

void start(void) { ExitProcess(trapped_as_it_must() ? 42 : 1); }
