/* Where code can be executed and not read, by a protection key, the library still looks at the instruction where the
 * kernel does not say what a fault was; and no rights but the thread's own are left when the trap has landed. */
#include "host.h"

#if defined(__linux__) && defined(__x86_64__)
#include <sys/mman.h>

/* Whether the kernel has turned protection keys on (CPUID.7.0:ECX.OSPKE). */
static int has_rights(void) {
  unsigned a = 7, b, c = 0, d;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return (c >> 4 & 1) != 0;
}

static unsigned get_rights(void) {
  unsigned rights, d;
  __asm__ volatile("rdpkru" : "=a"(rights), "=d"(d) : "c"(0));
  return rights;
}

static void set_rights(unsigned rights) { __asm__ volatile("wrpkru" : : "a"(rights), "c"(0), "d"(0) : "memory"); }

static void traps(const wasm_code_t *code, const char *name) {
  /* No page can have it: the kernel says neither the address nor that it was a memory fault. */
  wasm_access_t access = {UINT64_C(0x8000000000000000), 0};
  wasmtrap_trap_t trap;
  trapped_with(host_call(code, &access, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, name);
}

int main(void) {
  host_init_with_signals();
  const wasm_code_t code = wasm_compile(&wasm_load);
  host_register_code(&code);
  traps(&code, "in code that can be read");
  const uintptr_t first = (uintptr_t)code.start & ~(uintptr_t)(page_size() - 1);
  const size_t length = (uintptr_t)code.start + code.length - first;
  must(mprotect((void *)first, length, PROT_EXEC) == 0);
  traps(&code, "in code that can only be executed");
  if (!has_rights()) {
    tap_note("no protection keys on this machine: all code can be read");
    return tap_done();
  }
  /* All rights, which are none that a handler is started with; the default ones; and none to the other keys. */
  const unsigned before = get_rights(), rights[] = {0, before, 0xfffffffc};
  for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
    set_rights(rights[i]);
    traps(&code, "with other rights");
    const unsigned after = get_rights();
    set_rights(before);
    same(after, rights[i], "which are the thread's afterwards");
  }
  return tap_done();
}
#else
int main(void) { return tap_skip_all("rights by protection keys are looked at on Linux on x86-64"); }
#endif
