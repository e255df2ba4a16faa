#include "wasm_code.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"

/* macOS on arm64 has no memory that is writable and executable at once. */
#if defined(__APPLE__)
enum { FRESH = PROT_READ | PROT_WRITE };
#else
enum { FRESH = PROT_READ | PROT_WRITE | PROT_EXEC };
#endif

unsigned char *wasm_code_buffer(size_t size) {
  void *buffer = mmap(NULL, size, FRESH, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(buffer != MAP_FAILED);
  return buffer;
}

static void write_code(char *start, const unsigned char *code, size_t length) {
#if defined(__APPLE__)
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  char *const first = start - (uintptr_t)start % page;
  const size_t size = (size_t)(start + length - first);
  must(mprotect(first, size, PROT_READ | PROT_WRITE) == 0);
  memcpy(start, code, length);
  must(mprotect(first, size, PROT_READ | PROT_EXEC) == 0);
#else
  memcpy(start, code, length);
#endif
  __builtin___clear_cache(start, start + length);
}

wasm_code_t wasm_copy(const wasm_code_t *code, unsigned char *buffer, size_t place) {
  wasm_code_t copy = *code;
  char *start = (char *)buffer + place;
  write_code(start, code->start, code->length);
  copy.start = (unsigned char *)start;
  /* ISO C has no conversion from a pointer to data; POSIX promises the same representation. */
  memcpy(&copy.function, &start, sizeof start);
  return copy;
}

wasm_code_t wasm_compile(const wasm_code_t *code) { return wasm_copy(code, wasm_code_buffer(code->length), 0); }

size_t wasm_fault_pc(const wasm_code_t *code) { return (size_t)(uintptr_t)(code->start + code->fault); }
