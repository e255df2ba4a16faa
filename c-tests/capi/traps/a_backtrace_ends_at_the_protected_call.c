/* The backtrace starts at the instruction that faulted and ends at the function that wasmtrap_call called: nothing of
 * the host outside of it, nothing beyond the caller's buffer, never more than WASMTRAP_MAX_FRAMES. */
#include <string.h>

#include "host.h"

static wasm_import_t levels[300];

/* wasm_call_import, `depth` times, and then a load that faults. */
static void *nested(size_t depth, wasm_access_t *access) {
  void *argument = access;
  wasmtrap_function_t function = wasm_load.function;
  for (size_t i = 0; i < depth; i++) {
    levels[i].function = function;
    levels[i].argument = argument;
    function = wasm_call_import.function;
    argument = &levels[i];
  }
  return argument;
}

static wasmtrap_status_t trace(size_t depth, void *address, size_t *frames, size_t capacity, wasmtrap_trap_t *trap) {
  wasm_access_t access = {address_of(address), 0};
  *trap = host_new_trap();
  trap->frames = frames;
  trap->frames_capacity = capacity;
  return wasmtrap_call(wasm_call_import.function, nested(depth, &access), trap);
}

int main(void) {
  host_init();
  host_register_code(&wasm_load);
  host_register_code(&wasm_call_import);
  void *const page = inaccessible_page();
  const size_t return_address = wasm_fault_pc(&wasm_call_import);
  size_t frames[320];
  wasmtrap_trap_t trap;

  same(trace(3, page, frames, 320, &trap), WASMTRAP_TRAPPED, "a load under three calls traps");
  same(trap.frame_count, 4, "four frames");
  same(frames[0], trap.pc, "the load");
  for (size_t i = 1; i < 4; i++) same(frames[i], return_address, "its caller number %zu", i);
  same(trap.flags & WASMTRAP_FRAMES_TRUNCATED, 0, "nothing was left out");

  memset(frames, 0xa5, sizeof frames);
  same(trace(3, page, frames, 2, &trap), WASMTRAP_TRAPPED, "with room for two");
  same(trap.frame_count, 2, "there are two");
  same(frames[1], return_address, "the innermost ones");
  same(frames[2], UINT64_C(0xa5a5a5a5a5a5a5a5), "the third element is untouched");
  same(trap.flags & WASMTRAP_FRAMES_TRUNCATED, WASMTRAP_FRAMES_TRUNCATED, "the record says that there were more");

  same(trace(3, page, frames, 4, &trap), WASMTRAP_TRAPPED, "with room for just as many as there are");
  same(trap.frame_count, 4, "all are there");
  same(trap.flags & WASMTRAP_FRAMES_TRUNCATED, 0, "and nothing was left out");

  same(trace(3, page, NULL, 0, &trap), WASMTRAP_TRAPPED, "without a buffer");
  same(trap.frame_count, 0, "there are none");

  memset(frames, 0xa5, sizeof frames);
  same(trace(250, page, frames, 320, &trap), WASMTRAP_TRAPPED, "under 250 calls");
  same(trap.frame_count, WASMTRAP_MAX_FRAMES, "the library stops at its limit");
  same(trap.flags & WASMTRAP_FRAMES_TRUNCATED, WASMTRAP_FRAMES_TRUNCATED, "and says so");
  same(frames[WASMTRAP_MAX_FRAMES], UINT64_C(0xa5a5a5a5a5a5a5a5), "the rest of the buffer is untouched");
  return tap_done();
}
