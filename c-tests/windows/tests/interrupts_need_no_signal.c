/* Guests are interrupted where they are, with their thread suspended: wherever its stack ends, whatever is in its frame
 * pointer, and whether or not it is just in a fault handler that goes on with it. */
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "runs.h"

static running_t start(wasmtrap_function_t function, void *argument) {
  running_t running;
  memset(&running, 0, sizeof running);
  running.function = function;
  running.argument = argument;
  return running;
}

/* ---- A guest with its stack pointer where no page of its stack is yet, and a frame pointer that leads there ---- */

/* rcx: what wasm_spin has; the first word is set where it begins to go round, the second ends it. */
void spin_below(void *argument);
extern const unsigned char spin_below_start[], spin_below_end[];
__asm__(
    ".globl spin_below, spin_below_start, spin_below_end\n"
    "spin_below:\n"
    "spin_below_start:\n"
    "  push %rbp\n"
    "  mov %rsp, %rdx\n"
    "  sub $0x20000, %rsp\n"
    "  lea 0x100(%rsp), %rbp\n"
    "  movq $1, (%rcx)\n"
    "1: cmpq $0, 8(%rcx)\n"
    "  je 1b\n"
    "  mov %rdx, %rsp\n"
    "  pop %rbp\n"
    "  ret\n"
    "spin_below_end:\n");

static void register_code(const unsigned char *start, const unsigned char *end) {
  wasmtrap_code_desc_t code;
  memset(&code, 0, sizeof code);
  code.struct_size = sizeof code;
  code.start = start;
  code.length = (size_t)(end - start);
  uint64_t id;
  must(wasmtrap_code_register(&code, &id) == WASMTRAP_OK);
}

static void below_its_pages(void) {
  register_code(spin_below_start, spin_below_end);
  wasm_access_t state;
  memset(&state, 0, sizeof state);
  running_t running = start(spin_below, &state);
  running_start(&running);
  wait_for(&state.address, 1);
  must(wasmtrap_interrupt(running.run, WASMTRAP_CODE_INTERRUPT, 1) == WASMTRAP_OK);
  running_join(&running);
  interrupted_with(running.status, &running.trap, WASMTRAP_CODE_INTERRUPT, 1, "a guest below its stack's pages ends");
  ok(running.trap.frame_count >= 1 && running.frames[0] == running.trap.pc, "... and its backtrace begins with it");
}

/* ---- A guest in a function that another one has called, with pages of the stack that may not be touched below ---- */

/* Both have frames. The inner one spins with its stack pointer where the pages are, and its frame pointer there or
 * where its frame is. */
void calls_spin(void *argument);
extern const unsigned char calls_spin_start[], calls_spin_return[], calls_spin_end[];
volatile uint64_t spins_at, frame_is_below;
__asm__(
    ".globl calls_spin, calls_spin_start, calls_spin_return, calls_spin_end\n"
    "calls_spin:\n"
    "calls_spin_start:\n"
    "  push %rbp\n"
    "  mov %rsp, %rbp\n"
    "  sub $32, %rsp\n"
    "  call 3f\n"
    "calls_spin_return:\n"
    "  add $32, %rsp\n"
    "  pop %rbp\n"
    "  ret\n"
    "3:\n"
    "  push %rbp\n"
    "  mov %rsp, %rbp\n"
    "  mov %rsp, %rdx\n"
    "  sub $0x20000, %rsp\n"
    "  mov %rsp, spins_at(%rip)\n"
    "  cmpq $0, frame_is_below(%rip)\n"
    "  je 2f\n"
    "  lea 0x100(%rsp), %rbp\n"
    "2:\n"
    "  movq $1, (%rcx)\n"
    "1: cmpq $0, 8(%rcx)\n"
    "  je 1b\n"
    "  mov %rdx, %rsp\n"
    "  pop %rbp\n"
    "  ret\n"
    "calls_spin_end:\n");

static void below_what_may_not_be_touched(void) {
  register_code(calls_spin_start, calls_spin_end);
  for (frame_is_below = 0; frame_is_below < 2; frame_is_below++) {
    wasm_access_t state;
    memset(&state, 0, sizeof state);
    running_t running = start(calls_spin, &state);
    running_start(&running);
    wait_for(&state.address, 1);
    /* All of the stack that a system which adds pages one by one would not have there yet. */
    unsigned char *const end = (unsigned char *)(uintptr_t)((spins_at & ~UINT64_C(4095)) + 0x10000);
    MEMORY_BASIC_INFORMATION memory;
    must(VirtualQuery(end, &memory, sizeof memory) != 0);
    unsigned char *at = memory.AllocationBase;
    while (at < end) {
      DWORD before;
      must(VirtualQuery(at, &memory, sizeof memory) != 0);
      unsigned char *const next = (unsigned char *)memory.BaseAddress + memory.RegionSize;
      const size_t size = (size_t)((next < end ? next : end) - at);
      if (memory.State == MEM_COMMIT) must(VirtualProtect(at, size, PAGE_NOACCESS, &before));
      at += size;
    }
    unsigned char *const inner = (unsigned char *)(uintptr_t)(spins_at & ~UINT64_C(4095));
    must(VirtualFree(inner, (size_t)(end - inner), MEM_DECOMMIT));
    must(wasmtrap_interrupt(running.run, WASMTRAP_CODE_INTERRUPT, 3) == WASMTRAP_OK);
    running_join(&running);
    interrupted_with(running.status, &running.trap, WASMTRAP_CODE_INTERRUPT, 3, "a guest over such pages ends");
    same(running.frames[0], running.trap.pc, "its backtrace begins with it");
    same(running.trap.frame_count, frame_is_below ? 1 : 2, "... and has what can be read");
    if (!frame_is_below) same(running.frames[1], address_of(calls_spin_return), "... which is its caller");
    if (frame_is_below) same(running.trap.fp, spins_at + 0x100, "... whose frame is there");
  }
}

/* ---- A guest that a fault handler goes on with ---- */

static uint64_t asked, go_on;
static void *page;

static wasmtrap_verdict_t mends(wasmtrap_fault_t *fault, void *unused) {
  (void)fault;
  (void)unused;
  tell(&asked, 1);
  wait_for(&go_on, 1);
  DWORD before;
  VirtualProtect(page, 1, PAGE_READWRITE, &before);
  return WASMTRAP_VERDICT_RESUME;
}

static void in_a_fault_handler(void) {
  page = VirtualAlloc(NULL, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_NOACCESS);
  must(page != NULL);
  must(wasmtrap_set_fault_handler(mends, NULL) == WASMTRAP_OK);
  wasm_access_t state = {.address = address_of(page)};
  running_t running = start(wasm_load.function, &state);
  running_start(&running);
  wait_for(&asked, 1);
  same(wasmtrap_interrupt(running.run, WASMTRAP_CODE_INTERRUPT, 2), WASMTRAP_OK, "while the fault handler runs");
  tell(&go_on, 1);
  running_join(&running);
  interrupted_with(running.status, &running.trap, WASMTRAP_CODE_INTERRUPT, 2, "the guest ends where it would go on");
  same(running.trap.code_offset, wasm_load.fault, "... which is its fault's place");
  must(wasmtrap_set_fault_handler(NULL, NULL) == WASMTRAP_OK);
}

int main(void) {
  wasmtrap_options_t options;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.interrupt_signal = 5;
  same(wasmtrap_init(&options), WASMTRAP_ERR_INVALID_ARGUMENT, "there is no signal to be had");
  contains(wasmtrap_last_error(), "interrupt_signal", "which the sentence says");
  runs_init();
  char *const text = described();
  contains(text, "interrupts: with the thread suspended", "nor is one needed, says the description");
  free(text);
  host_register_code(&wasm_load);
  below_its_pages();
  below_what_may_not_be_touched();
  in_a_fault_handler();
  return tap_done();
}
