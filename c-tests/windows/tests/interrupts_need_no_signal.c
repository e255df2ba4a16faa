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

static void below_its_pages(void) {
  wasmtrap_code_desc_t code;
  memset(&code, 0, sizeof code);
  code.struct_size = sizeof code;
  code.start = spin_below_start;
  code.length = (size_t)(spin_below_end - spin_below_start);
  uint64_t id;
  must(wasmtrap_code_register(&code, &id) == WASMTRAP_OK);
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
  in_a_fault_handler();
  return tap_done();
}
