/* Code that signs its return addresses (pac-ret) leaves signatures in the upper bits of what it saves. A backtrace has
 * the addresses without them. */
#include <sys/auxv.h>

#include "host.h"

/* A wasm_call_import that signs the return address of its caller. */
extern const wasm_code_t wasm_call_import_signed;

enum { DEPTH = 3 };

int main(void) {
  ok((getauxval(AT_HWCAP) & (1 << 30)) != 0, "this processor signs");
  host_init();
  host_register_code(&wasm_load);
  host_register_code(&wasm_call_import_signed);

  wasm_access_t access = {(uint64_t)(uintptr_t)inaccessible_page(), 0};
  wasm_import_t levels[DEPTH];
  levels[0] = (wasm_import_t){wasm_load.function, &access};
  for (int i = 1; i < DEPTH; i++) levels[i] = (wasm_import_t){wasm_call_import_signed.function, &levels[i - 1]};

  size_t frames[16] = {0};
  wasmtrap_trap_t trap = host_new_trap();
  trap.frames = frames;
  trap.frames_capacity = 16;
  same(wasmtrap_call(wasm_call_import_signed.function, &levels[DEPTH - 1], &trap), WASMTRAP_TRAPPED, "a trap");
  same(trap.frame_count, DEPTH + 1, "a frame for each call");
  same(frames[0], wasm_fault_pc(&wasm_load), "the load");
  for (size_t i = 1; i <= DEPTH; i++) {
    same(frames[i], wasm_fault_pc(&wasm_call_import_signed), "its caller number %zu", i);
  }
  return tap_done();
}
