/* The protected call on arm64, on the emulated processor of run_image.py: what a trap, an error raised by a function
 * that the guest calls, and a plain return leave of the caller's registers, of the floating-point control register, of
 * the stack pointer, of x18, and of the thread's block. */
#include <stdint.h>
#include <string.h>
#include <windows.h>

#include <wasmtrap.h>

int puts(const char *text);

enum { GUARD_SIZE = 65536, OFFSET = 4660, CODE = WASMTRAP_CODE_USER + 7 };
/* Rounds to minus infinity; the guest has another one. */
static const uint64_t CONTROL = 2 << 22;

/* What the caller has around the call: x19 to x28, d8 to d15, FPCR, sp, x18. */
typedef struct state_t {
  uint64_t general[10];
  uint64_t floating[8];
  uint64_t control;
  uint64_t sp;
  uint64_t block;
} state_t;

/* With `in_run` by wasmtrap_run_call. */
wasmtrap_status_t call_watched(wasmtrap_function_t function, void *argument, wasmtrap_trap_t *trap,
                               const state_t *before, state_t *after, wasmtrap_run_t in_run);
void guest_load(void *argument);
void guest_load_elsewhere(void *argument);
void guest_raise(void *argument);
void guest_interrupt(void *argument);
void guest_return(void *argument);
void host_raise(void);
void host_interrupt(void);
extern const char guest_start[], guest_fault[], guest_end[];

/* The guest leaves nothing as it was. The load elsewhere is made on a stack of the guest's own, with its bounds in the
 * thread's block (StackBase, StackLimit, DeallocationStack). */
__asm__(
    ".macro spoil\n"
    "  stp x29, x30, [sp, #-16]!\n"
    "  mov x29, sp\n"
    "  .irp n, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28\n"
    "  mov x\\n, #\\n\n"
    "  .endr\n"
    "  .irp n, 8, 9, 10, 11, 12, 13, 14, 15\n"
    "  fmov d\\n, #1.0\n"
    "  .endr\n"
    "  mov x9, #0x400000\n"
    "  msr fpcr, x9\n"
    ".endm\n"
    ".text\n.p2align 2\n"
    ".globl guest_start\nguest_start:\n"
    ".globl guest_load\nguest_load:\n"
    "  spoil\n"
    "  ldr x1, [x0]\n"
    "  mov x0, #0x5a\n"
    ".globl guest_fault\nguest_fault:\n"
    "  ldr x2, [x1]\n"
    "  brk #1\n"
    ".globl guest_load_elsewhere\nguest_load_elsewhere:\n"
    "  spoil\n"
    "  ldr x1, [x0]\n"
    "  ldp x3, x4, [x0, #8]\n"
    "  str x4, [x18, #0x8]\n"
    "  str x3, [x18, #0x10]\n"
    "  mov x5, #0x1478\n"
    "  str x3, [x18, x5]\n"
    "  mov sp, x4\n"
    "  ldr x2, [x1]\n"
    "  brk #1\n"
    ".globl guest_raise\nguest_raise:\n"
    "  spoil\n"
    "  bl host_raise\n"
    "  brk #1\n"
    ".globl guest_interrupt\nguest_interrupt:\n"
    "  spoil\n"
    "  bl host_interrupt\n"
    "  brk #1\n"
    ".globl guest_return\nguest_return:\n"
    "  ret\n"
    ".globl guest_end\nguest_end:\n"
    ".macro move_state instruction, at\n"
    "  \\instruction x19, x20, [\\at]\n"
    "  \\instruction x21, x22, [\\at, #16]\n"
    "  \\instruction x23, x24, [\\at, #32]\n"
    "  \\instruction x25, x26, [\\at, #48]\n"
    "  \\instruction x27, x28, [\\at, #64]\n"
    "  \\instruction d8, d9, [\\at, #80]\n"
    "  \\instruction d10, d11, [\\at, #96]\n"
    "  \\instruction d12, d13, [\\at, #112]\n"
    "  \\instruction d14, d15, [\\at, #128]\n"
    ".endm\n"
    ".globl call_watched\ncall_watched:\n"
    "  stp x29, x30, [sp, #-192]!\n"
    "  mov x29, sp\n"
    "  mrs x9, fpcr\n"
    "  stp x4, x9, [sp, #16]\n"
    "  add x9, sp, #32\n"
    "  move_state stp, x9\n"
    "  move_state ldp, x3\n"
    "  ldr x9, [x3, #144]\n"
    "  msr fpcr, x9\n"
    "  cbnz x5, 1f\n"
    "  bl wasmtrap_call\n"
    "  b 2f\n"
    "1:\n"
    "  mov x3, x2\n"
    "  mov x2, x1\n"
    "  mov x1, x0\n"
    "  mov x0, x5\n"
    "  bl wasmtrap_run_call\n"
    "2:\n"
    "  ldp x4, x10, [sp, #16]\n"
    "  move_state stp, x4\n"
    "  mrs x9, fpcr\n"
    "  mov x11, sp\n"
    "  stp x9, x11, [x4, #144]\n"
    "  str x18, [x4, #160]\n"
    "  msr fpcr, x10\n"
    "  add x9, sp, #32\n"
    "  move_state ldp, x9\n"
    "  ldp x29, x30, [sp], #192\n"
    "  ret\n");

static wasmtrap_run_t run;
static wasmtrap_status_t interrupted = 1;

void host_raise(void) { wasmtrap_raise(CODE, 99); }

/* Interrupts the run that it is in, and comes to a point where that is looked for. */
void host_interrupt(void) {
  interrupted = wasmtrap_interrupt(run, CODE + 1, 98);
  wasmtrap_interrupt_point();
}

static int failed;

static void promise(int kept, const char *words) {
  if (!kept) {
    failed = 1;
    puts("not kept:");
  }
  puts(words);
}

static uint64_t *block_word(unsigned offset) {
  uint64_t block;
  __asm__("mov %0, x18" : "=r"(block));
  return (uint64_t *)(uintptr_t)(block + offset);
}

/* Calls, and says whether the caller has found its own again. */
static wasmtrap_status_t call(wasmtrap_function_t function, void *argument, wasmtrap_trap_t *trap,
                              wasmtrap_run_t in_run) {
  static uint64_t sp;
  state_t before, after;
  wasmtrap_status_t status;
  size_t i;
  const uint64_t base = *block_word(0x8), bottom = *block_word(0x1478);
  for (i = 0; i < 10; i++) before.general[i] = 0x1111222233330000u + i;
  for (i = 0; i < 8; i++) before.floating[i] = 0x4444555566660000u + i;
  before.control = CONTROL;
  memset(trap, 0, sizeof *trap);
  trap->struct_size = sizeof *trap;
  memset(&after, 0, sizeof after);
  status = call_watched(function, argument, trap, &before, &after, in_run);
  if (sp == 0) sp = after.sp;
  promise(memcmp(before.general, after.general, sizeof before.general) == 0, "  x19 to x28 are the caller's");
  promise(memcmp(before.floating, after.floating, sizeof before.floating) == 0, "  d8 to d15 are the caller's");
  promise(after.control == CONTROL, "  FPCR is the caller's");
  promise(after.sp == sp, "  the stack pointer is where it was");
  promise(after.block == (uint64_t)(uintptr_t)block_word(0), "  x18 is the thread's block");
  promise(*block_word(0x8) == base && *block_word(0x1478) == bottom, "  the block has the bounds of this stack");
  promise(*block_word(0x10) >= bottom && *block_word(0x10) < sp, "  and a limit within them");
  return status;
}

/* A run is for one call. */
static void open_run(const char *words) {
  if (run != 0) promise(wasmtrap_run_close(run) == WASMTRAP_OK, "  and is closed");
  puts(words);
  promise(wasmtrap_run_open(&run) == WASMTRAP_OK, "  is opened");
}

int main(void) {
  unsigned char *const memory = VirtualAlloc(NULL, GUARD_SIZE, MEM_RESERVE, PAGE_NOACCESS);
  unsigned char *const stack = VirtualAlloc(NULL, GUARD_SIZE, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  wasmtrap_code_desc_t code;
  wasmtrap_region_desc_t region;
  wasmtrap_trap_t trap;
  uint64_t id;
  uint64_t argument[3];
  int round;

  memset(&code, 0, sizeof code);
  code.struct_size = sizeof code;
  code.start = guest_start;
  code.length = (size_t)(guest_end - guest_start);
  code.flags = WASMTRAP_CODE_STRICT;
  memset(&region, 0, sizeof region);
  region.struct_size = sizeof region;
  region.base = memory;
  region.length = GUARD_SIZE;
  argument[0] = (uint64_t)(uintptr_t)(memory + OFFSET);
  argument[1] = (uint64_t)(uintptr_t)stack;
  argument[2] = (uint64_t)(uintptr_t)(stack + GUARD_SIZE);
  if (memory == NULL || stack == NULL || wasmtrap_init(NULL) != WASMTRAP_OK ||
      wasmtrap_code_register(&code, &id) != WASMTRAP_OK || wasmtrap_region_register(&region, &id) != WASMTRAP_OK) {
    puts(wasmtrap_last_error());
    return 2;
  }
  /* The first call of a thread goes another way than those that follow. */
  for (round = 0; round < 2; round++) {
    puts("a call that returns");
    promise(call(guest_return, argument, &trap, 0) == WASMTRAP_OK, "  is OK");
    puts("a load out of bounds");
    promise(call(guest_load, argument, &trap, 0) == WASMTRAP_TRAPPED, "  is a trap");
    promise(trap.code == WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS && trap.access == WASMTRAP_ACCESS_READ, "  of a read");
    promise(trap.region_offset == OFFSET, "  at its address");
    promise((const char *)(uintptr_t)trap.pc == guest_fault, "  by its instruction");
    promise(trap.registers.general[0] == 0x5a && trap.registers.general[28] == 28, "  with the guest's registers");
    puts("a load out of bounds on another stack");
    promise(call(guest_load_elsewhere, argument, &trap, 0) == WASMTRAP_TRAPPED, "  is a trap");
    puts("an error that is raised");
    promise(call(guest_raise, argument, &trap, 0) == WASMTRAP_TRAPPED, "  is a trap");
    promise(trap.code == CODE && trap.payload == 99, "  with its code and its payload");
  }
  open_run("a run that returns");
  promise(call(guest_return, argument, &trap, run) == WASMTRAP_OK, "  is OK");
  open_run("a run that loads out of bounds");
  promise(call(guest_load, argument, &trap, run) == WASMTRAP_TRAPPED, "  is a trap");
  promise(trap.code == WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "  of memory");
  open_run("a run that is interrupted");
  promise(call(guest_interrupt, argument, &trap, run) == WASMTRAP_TRAPPED && interrupted == WASMTRAP_OK, "  is a trap");
  promise(trap.code == CODE + 1 && trap.payload == 98, "  with what the interrupt says");
  open_run("a run that was interrupted before");
  promise(wasmtrap_interrupt(run, CODE, 97) == WASMTRAP_OK, "  can be");
  promise(call(guest_return, argument, &trap, run) == WASMTRAP_TRAPPED, "  is a trap");
  promise(trap.code == CODE && trap.payload == 97, "  with what the interrupt says");
  promise(wasmtrap_shutdown() == WASMTRAP_OK, "the library shuts down");
  puts(failed ? "failed" : "all kept");
  return failed;
}
