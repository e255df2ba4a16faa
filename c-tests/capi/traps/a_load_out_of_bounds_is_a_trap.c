/* A load behind the end of a linear memory is a trap, and the record says everything about it. */
#include <signal.h>

#include "host.h"

int main(void) {
  host_init();
  linear_memory_t memory = linear_memory_new(1);
  int module, instance;

  wasmtrap_code_desc_t code = {0};
  code.struct_size = sizeof code;
  code.start = wasm_load.start;
  code.length = wasm_load.length;
  code.user = &module;
  uint64_t code_id = 0;
  same(wasmtrap_code_register(&code, &code_id), WASMTRAP_OK, "the code is registered");

  wasmtrap_region_desc_t region = {0};
  region.struct_size = sizeof region;
  region.base = memory.base;
  region.length = memory.reserved;
  region.user = &instance;
  uint64_t region_id = 0;
  same(wasmtrap_region_register(&region, &region_id), WASMTRAP_OK, "the memory is registered");

  memory.base[8] = 42;
  wasm_access_t access = {address_of(memory.base + 8), 0};
  wasmtrap_trap_t trap = {0};
  trap.struct_size = sizeof trap;
  same(wasmtrap_call(wasm_load.function, &access, &trap), WASMTRAP_OK, "a load in bounds returns");
  same(access.value, 42, "with the value");

  access.address = address_of(memory.base + memory.size + 24);
  access.value = 7;
  same(wasmtrap_call(wasm_load.function, &access, &trap), WASMTRAP_TRAPPED, "a load out of bounds traps");
  same(access.value, 7, "and did not go on");
  same(trap.code, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "code");
  same_text(wasmtrap_code_name(trap.code), "out of bounds memory access", "code in the specification's words");
  same(trap.source, WASMTRAP_SOURCE_FAULT, "source");
  same(trap.flags,
       WASMTRAP_HAS_CODE | WASMTRAP_HAS_FAULT_ADDRESS | WASMTRAP_HAS_REGION | WASMTRAP_HAS_REGISTERS, "flags");
  same(trap.access, if_told(trap.exception, WASMTRAP_ACCESS_READ), "access");
  same_text(wasmtrap_access_name(trap.access),
            wasmtrap_access_name(if_told(trap.exception, WASMTRAP_ACCESS_READ)), "as a word");
  same(trap.pc, wasm_fault_pc(&wasm_load), "program counter");
  same(trap.code_id, code_id, "code id");
  ok(trap.code_user == &module, "code user pointer");
  same(trap.code_offset, wasm_load.fault, "code offset");
  same(trap.fault_address, access.address, "fault address");
  same(trap.region_id, region_id, "region id");
  ok(trap.region_user == &instance, "region user pointer");
  same(trap.region_offset, memory.size + 24, "region offset: the WebAssembly address");
  same(trap.payload, 0, "no payload");
  reported_by(SIGSEGV, SEGV_ACCERR, trap);
  same(trap.frame_count, 0, "no frames without a buffer");
  same(trap.registers.pc, trap.pc, "program counter among the registers");
  ok(trap.sp <= trap.fp && trap.fp < address_of(&trap) && trap.fp - trap.sp <= 16, "stack and frame pointer");

  access.address = address_of(memory.base + 8);
  same(wasmtrap_call(wasm_load.function, &access, &trap), WASMTRAP_OK, "the host goes on after it");
  return tap_done();
}
