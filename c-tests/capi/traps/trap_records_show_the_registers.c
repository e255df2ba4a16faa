/* The record has every general-purpose register as it was at the instruction that faulted. */
#include "host.h"

#if defined(__x86_64__)
enum { FIRST = 1, LAST = 15, STACK_POINTER = 7, FRAME_POINTER = 6, DIRECTION_FLAG = 1 << 10 };
#else
enum { FIRST = 1, LAST = 30, STACK_POINTER = 31, FRAME_POINTER = 29 };
#endif
/* x18 is not a program's on macOS. */
#if defined(__APPLE__) && defined(__aarch64__)
enum { THE_SYSTEMS_OWN = 18 };
#else
enum { THE_SYSTEMS_OWN = -1 };
#endif

int main(void) {
  host_init();
  host_register_code(&wasm_clobber_and_load);
  unsigned char *const page = inaccessible_page();

  size_t frames[4] = {0};
  wasm_access_t access = {address_of(page), 0};
  wasmtrap_trap_t trap = host_new_trap();
  trap.frames = frames;
  trap.frames_capacity = 4;
  same(wasmtrap_call(wasm_clobber_and_load.function, &access, &trap), WASMTRAP_TRAPPED, "it traps");
  same(trap.registers.general[WASM_ADDRESS_REGISTER], address_of(page), "the register with the address");
  for (int number = FIRST; number <= LAST; number++) {
    if (number == STACK_POINTER || number == THE_SYSTEMS_OWN) continue;
    same(trap.registers.general[number], WASM_REGISTER(number), "register %d", number);
  }
  same(trap.registers.general[STACK_POINTER], trap.sp, "stack pointer");
  ok(trap.sp < address_of(&trap) && trap.sp > address_of(&trap) - 65536, "which is on this stack");
  same(trap.fp, WASM_REGISTER(FRAME_POINTER), "frame pointer");
  same(trap.registers.pc, wasm_fault_pc(&wasm_clobber_and_load), "program counter");
#if defined(__x86_64__)
  ok((trap.registers.flags & DIRECTION_FLAG) != 0, "flags");
  for (unsigned number = LAST + 1; number < 32; number++) {
    same(trap.registers.general[number], 0, "no register %u", number);
  }
#endif
  same(trap.frame_count, 1, "a frame pointer that makes no sense ends the backtrace");
  same(frames[0], trap.pc, "after the program counter");
  return tap_done();
}
