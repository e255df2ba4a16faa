#include "wasm_code.h"

#include <string.h>
#include <sys/mman.h>

#include "tap.h"

unsigned char *wasm_code_buffer(size_t size) {
  void *buffer = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(buffer != MAP_FAILED);
  return buffer;
}

wasm_code_t wasm_copy(const wasm_code_t *code, unsigned char *buffer, size_t place) {
  wasm_code_t copy = *code;
  char *start = (char *)buffer + place;
  memcpy(start, code->start, code->length);
  __builtin___clear_cache(start, start + code->length);
  copy.start = (unsigned char *)start;
  /* ISO C has no conversion from a pointer to data; POSIX promises the same representation. */
  memcpy(&copy.function, &start, sizeof start);
  return copy;
}

wasm_code_t wasm_compile(const wasm_code_t *code) { return wasm_copy(code, wasm_code_buffer(code->length), 0); }

size_t wasm_fault_pc(const wasm_code_t *code) { return (size_t)(uintptr_t)(code->start + code->fault); }
