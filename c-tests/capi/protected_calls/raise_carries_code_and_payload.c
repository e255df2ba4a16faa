/* wasmtrap_raise ends the call with the code and the payload that it was given. */
#include <string.h>

#include "host.h"

static const struct {
  wasmtrap_code_t code;
  uint64_t payload;
} raised[] = {
    {WASMTRAP_CODE_INTEGER_OVERFLOW, 0},
    {WASMTRAP_CODE_UNCAUGHT_EXCEPTION, UINT64_MAX},
    {WASMTRAP_CODE_USER, UINT64_C(0x0123456789abcdef)},
    {UINT32_MAX, 1},
    {WASMTRAP_CODE_NONE, 42},
};

static void raise_number(void *number) {
  const size_t i = *(const size_t *)number;
  wasmtrap_raise(raised[i].code, raised[i].payload);
}

int main(void) {
  host_init();
  uint64_t code_id = host_register_code(&wasm_call_import);
  for (size_t i = 0; i < sizeof raised / sizeof *raised; i++) {
    wasmtrap_trap_t trap = host_new_trap();
    same(wasmtrap_call(raise_number, &i, &trap), WASMTRAP_TRAPPED, "raise number %zu", i);
    same(trap.code, raised[i].code, "code");
    same(trap.payload, raised[i].payload, "payload");
    same(trap.source, WASMTRAP_SOURCE_RAISE, "source");
    same(trap.flags, 0, "from host code: no code range, no address, no registers");
    same(trap.signal, 0, "no signal");
    same(trap.access, WASMTRAP_ACCESS_UNKNOWN, "no access");
    ok(trap.pc != 0, "program counter");
    ok(trap.sp < address_of(&trap) && trap.sp > address_of(&trap) - 65536, "stack pointer, on this stack");
  }

  /* Compiled code calls it directly: its program counter is that of the code. */
  wasm_import_t import = {NULL, (void *)(uintptr_t)WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS};
  void (*const raise)(wasmtrap_code_t, uint64_t) = wasmtrap_raise;
  memcpy(&import.function, &raise, sizeof raise);
  wasmtrap_trap_t direct;
  trapped_with(host_call(&wasm_call_import, &import, &direct), &direct, WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS,
               "raised by WebAssembly itself");
  same(direct.flags & WASMTRAP_HAS_CODE, WASMTRAP_HAS_CODE, "has a code range");
  same(direct.code_id, code_id, "that of the code");
  same(direct.pc, wasm_fault_pc(&wasm_call_import), "program counter: the return address");
  same(direct.code_offset, wasm_call_import.fault, "code offset");

  /* What is known of the caller is forgotten with the range. */
  for (int round = 0; round < 3; round++) {
    trapped_with(host_call(&wasm_call_import, &import, &direct), &direct, WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS,
                 "raised from the same place");
    same(direct.code_id, code_id, "in the same range");
    same(direct.code_offset, wasm_call_import.fault, "at the same offset");
  }
  must(wasmtrap_code_unregister(code_id) == WASMTRAP_OK);
  trapped_with(host_call(&wasm_call_import, &import, &direct), &direct, WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS,
               "raised from what is registered no more");
  same(direct.flags & WASMTRAP_HAS_CODE, 0, "has no code range");
  code_id = host_register_code_with_site(&wasm_call_import, WASMTRAP_CODE_USER);
  trapped_with(host_call(&wasm_call_import, &import, &direct), &direct, WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS,
               "raised from what is registered anew");
  same(direct.code_id, code_id, "has the new range");

  size_t number = 0;
  import = (wasm_import_t){raise_number, &number};
  size_t frames[8];
  wasmtrap_trap_t trap = host_new_trap();
  trap.frames = frames;
  trap.frames_capacity = 8;
  same(wasmtrap_call(wasm_call_import.function, &import, &trap), WASMTRAP_TRAPPED, "raised under WebAssembly");
  same(frames[0], trap.pc, "the backtrace begins where it was raised");
  ok(trap.frame_count >= 2 && frames[trap.frame_count - 1] == wasm_fault_pc(&wasm_call_import),
     "and ends at the WebAssembly that called");
  wasmtrap_code_info_t info = {0};
  info.struct_size = sizeof info;
  same(wasmtrap_code_lookup((void *)(uintptr_t)frames[trap.frame_count - 1], &info), WASMTRAP_OK, "which can be found");
  same(info.id, code_id, "by its frame");
  return tap_done();
}
