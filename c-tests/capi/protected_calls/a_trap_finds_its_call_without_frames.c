/* Calls that were left by longjmp, whose frames nobody has written to since: a trap of code that keeps no frame pointer
 * lands in the call that is alive around it, where it runs further out than those that were left; so does a raise of
 * such code. */
#include "host.h"
#include "jumps.h"

static void *page;

static void load_without_a_frame(void *calls) {
  leave_calls_by_a_jump(*(const int *)calls);
  wasm_access_t access = {address_of(page), 0};
  wasm_load_with_frame_pointer.function(&access);
}

static void raise_without_a_frame(void *calls) {
  leave_calls_by_a_jump(*(const int *)calls);
#if defined(_WIN32)
  __asm__ volatile("xor %%ebp, %%ebp\n\tmov %0, %%ecx\n\txor %%edx, %%edx\n\tsub $32, %%rsp\n\tcall *%1"
                   :
                   : "i"(WASMTRAP_CODE_USER), "a"(wasmtrap_raise)
                   : "memory");
#elif defined(__x86_64__)
  __asm__ volatile("xor %%ebp, %%ebp\n\tmov %0, %%edi\n\txor %%esi, %%esi\n\tcall *%1"
                   :
                   : "i"(WASMTRAP_CODE_USER), "a"(wasmtrap_raise)
                   : "memory");
#else
  wasmtrap_raise(WASMTRAP_CODE_USER, 0);
#endif
}

int main(void) {
  host_init();
  host_register_code(&wasm_load_with_frame_pointer);
  page = inaccessible_page();
  for (int calls = 1; calls <= 3; calls++) {
    wasmtrap_trap_t trap = host_new_trap();
    trapped_with(wasmtrap_call(load_without_a_frame, &calls, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS,
                 "a load after calls were left lands in the outer one");
    same(trap.fp, 0, "it had no frame pointer");
    trap = host_new_trap();
    trapped_with(wasmtrap_call(raise_without_a_frame, &calls, &trap), &trap, WASMTRAP_CODE_USER,
                 "a raise after calls were left lands in the outer one");
    same(wasmtrap_thread_detach(), WASMTRAP_OK, "the thread is outside of any call");
  }
  return tap_done();
}
