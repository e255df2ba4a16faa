/* In a library whose branch targets are guarded, no indirect branch arrives but at a target, and a trap lands: also one
 * of an instruction to which an indirect branch came. A branch to what is no target is no trap, wherever it arrives: it
 * says that somebody went where nobody may. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "host.h"
#include "process.h"

#ifndef PROT_BTI
#define PROT_BTI 0x10
#endif

/* PSTATE.BTYPE, which an indirect branch leaves behind. */
#define BRANCH_TYPE UINT64_C(0xc00)

enum { INSTRUCTION = 4 };

/* Whether the page that `address` is in is guarded: "bt" among its flags in /proc/self/smaps. */
static int is_guarded(uintptr_t address) {
  FILE *const maps = fopen("/proc/self/smaps", "r");
  must(maps != NULL);
  char line[512];
  int here = 0, guarded = 0;
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned long start, end;
    if (sscanf(line, "%lx-%lx ", &start, &end) == 2) here = address >= start && address < end;
    if (here && strncmp(line, "VmFlags:", 8) == 0) guarded = strstr(line, " bt") != NULL;
  }
  fclose(maps);
  return guarded;
}

static uintptr_t address_of_init(void) {
  wasmtrap_status_t (*const init)(const wasmtrap_options_t *) = wasmtrap_init;
  uintptr_t address;
  memcpy(&address, &init, sizeof address);
  return address;
}

/* The first instruction is the target, the second is none. */
static void jump_into_the_library(void *unused) {
  wasm_access_t access = {address_of_init() + INSTRUCTION, 0};
  (void)unused;
  wasm_jump.function(&access);
}

static void jump_into_the_library_after_init(void *unused) {
  host_init();
  jump_into_the_library(unused);
}

/* A copy of the code in guarded memory. Neither wasm_load nor any other of them begins with a target. */
static wasm_code_t guarded_copy(const wasm_code_t *code) {
  const wasm_code_t copy = wasm_compile(code);
  const uintptr_t page = (uintptr_t)copy.start & ~(uintptr_t)(page_size() - 1);
  must(mprotect((void *)page, page_size(), PROT_READ | PROT_EXEC | PROT_BTI) == 0);
  return copy;
}

/* In WebAssembly that is guarded, under a protected call. */
static void jump_to_what_is_no_target(void *target) {
  host_init();
  host_register_code(&wasm_jump);
  host_register_code(target);
  wasm_access_t access = {(uint64_t)(uintptr_t)((wasm_code_t *)target)->start, 0};
  wasmtrap_trap_t trap;
  host_call(&wasm_jump, &access, &trap);
}

int main(void) {
  ok(is_guarded(address_of_init()), "the library's code is guarded");
  ok(!is_guarded((uintptr_t)wasm_load.start), "the program's own is not");
  child_dies_of(SIGILL, jump_into_the_library, NULL, "a jump to what is no target, before init");
  child_dies_at(SIGILL, address_of_init() + INSTRUCTION, jump_into_the_library_after_init, NULL,
                "a jump to what is no target, after it");
  wasm_code_t target = guarded_copy(&wasm_load);
  child_dies_at(SIGILL, (size_t)target.start, jump_to_what_is_no_target, &target,
                "WebAssembly that jumps to what is no target");

  host_init();
  ok(library_traps(), "a trap lands in guarded code");

  /* Nothing of the state with which an indirect branch arrives is left at the landing. */
  host_register_code(&wasm_unreachable);
  for (int round = 0; round < 3; round++) {
    wasmtrap_trap_t trap;
    trapped_with(host_call(&wasm_unreachable, NULL, &trap), &trap, WASMTRAP_CODE_UNREACHABLE,
                 "an instruction that is none, where an indirect branch arrives");
    same(trap.signal, SIGILL, "signal");
    ok((trap.registers.flags & BRANCH_TYPE) != 0, "the state has the kind of branch, with which nothing may land");
  }
  ok(library_traps(), "and traps go on landing");
  return tap_done();
}
