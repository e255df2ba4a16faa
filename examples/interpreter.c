/* An interpreter: its own functions in C do what WebAssembly asks for, so that a trap comes from the interpreter's
 * code, which is no code of WebAssembly's.
 *
 *   cc -O2 -fno-omit-frame-pointer interpreter.c $(pkg-config --cflags --libs wasmtrap) && ./a.out
 *
 * What to take from it: the functions that touch linear memory are gathered in a section of their own, and the section
 * is the registered code. A fault anywhere else in the interpreter stays a crash. What the processor does not notice,
 * the interpreter raises itself. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "check.h"

#define MEMORY_ACCESS __attribute__((section("wasm_memory"), noinline))
extern const char __start_wasm_memory[], __stop_wasm_memory[];

enum { RESERVED = 1 << 20, MEMORY = 1 << 16 };
enum opcode { PUSH, LOAD, STORE, DIVIDE, UNREACHABLE, END };

typedef struct {
  const int *code;
  unsigned char *memory;
  int result;
} instance_t;

/* volatile: a load whose value nobody uses has to trap, too. */
MEMORY_ACCESS static int load(instance_t *instance, unsigned int address) {
  return *(volatile unsigned char *)(instance->memory + address % RESERVED);
}

MEMORY_ACCESS static void store(instance_t *instance, unsigned int address, int value) {
  *(volatile unsigned char *)(instance->memory + address % RESERVED) = (unsigned char)value;
}

static void interpret(void *argument) {
  instance_t *instance = argument;
  int stack[16], *top = stack;
  for (const int *code = instance->code;; code++) {
    switch (*code) {
      case PUSH: *top++ = *++code; break;
      case LOAD: top[-1] = load(instance, (unsigned int)top[-1]); break;
      case STORE: top -= 2, store(instance, (unsigned int)top[0], top[1]); break;
      case DIVIDE:
        /* No fault on arm64, and one that says too little on x86-64: checked, and raised. */
        if (top[-1] == 0) wasmtrap_raise(WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO, (uint64_t)(code - instance->code));
        top--;
        top[-1] /= top[0];
        break;
      case UNREACHABLE: wasmtrap_raise(WASMTRAP_CODE_UNREACHABLE, (uint64_t)(code - instance->code));
      default: instance->result = top[-1]; return;
    }
  }
}

int main(void) {
  CHECK(wasmtrap_init(NULL));
  instance_t instance = {0};
  instance.memory = mmap(NULL, RESERVED, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (instance.memory == MAP_FAILED || mprotect(instance.memory, MEMORY, PROT_READ | PROT_WRITE) != 0) return 2;

  wasmtrap_code_desc_t code = {0};
  code.struct_size = sizeof code;
  code.start = __start_wasm_memory;
  code.length = (size_t)(__stop_wasm_memory - __start_wasm_memory);
  code.flags = WASMTRAP_CODE_STRICT;
  wasmtrap_region_desc_t region = {0};
  region.struct_size = sizeof region;
  region.base = instance.memory;
  region.length = RESERVED;
  uint64_t code_id, region_id;
  CHECK(wasmtrap_code_register(&code, &code_id));
  CHECK(wasmtrap_region_register(&region, &region_id));

  static const int programs[][8] = {
      {PUSH, 7, PUSH, 2, DIVIDE, END},
      {PUSH, 70000, PUSH, 1, STORE, PUSH, 0, END},
      {PUSH, 66000, LOAD, END},
      {PUSH, 7, PUSH, 0, DIVIDE, END},
      {UNREACHABLE},
      {PUSH, 11, PUSH, 9, STORE, PUSH, 11, LOAD},
  };
  for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
    wasmtrap_trap_t trap = {0};
    trap.struct_size = sizeof trap;
    int code_with_end[9] = {0};
    memcpy(code_with_end, programs[i], sizeof programs[i]);
    code_with_end[8] = END;
    instance.code = code_with_end;
    if (CHECK(wasmtrap_call(interpret, &instance, &trap)) == WASMTRAP_OK) {
      printf("program %zu: %d\n", i, instance.result);
    } else if (trap.source == WASMTRAP_SOURCE_RAISE) {
      printf("program %zu: %s, at instruction %d\n", i, wasmtrap_code_name(trap.code), (int)trap.payload);
    } else {
      printf("program %zu: %s, address %zu\n", i, wasmtrap_code_name(trap.code), trap.region_offset);
    }
  }
  return 0;
}
