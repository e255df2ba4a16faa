#include "platform.h"

#include <errno.h>
#include <setjmp.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

uintptr_t told_ip, told_fp, told_address;
bool told_has_address;
int times_told;

#if defined(__x86_64__)
static const uint8_t LOAD[] = {0x8b, 0x07, 0xc3};       /* mov eax, [rdi]; ret */
static const uint8_t STOP[] = {0x0f, 0x0b, 0xc3};       /* ud2; ret */
#elif defined(__aarch64__)
static const uint8_t LOAD[] = {0x00, 0x00, 0x40, 0xb9, 0xc0, 0x03, 0x5f, 0xd6}; /* ldr w0, [x0]; ret */
static const uint8_t STOP[] = {0x00, 0x00, 0x00, 0x00, 0xc0, 0x03, 0x5f, 0xd6}; /* udf #0; ret */
#endif
enum { STOP_AT = 64 };

engine_t new_code(void) {
  engine_t engine;
  size_t size = wasmtime_page_size();
  must(wasmtime_mmap_new(size, WASMTIME_PROT_READ | WASMTIME_PROT_WRITE, &engine.page) == 0);
  memcpy(engine.page, LOAD, sizeof LOAD);
  memcpy(engine.page + STOP_AT, STOP, sizeof STOP);
  must(wasmtime_mprotect(engine.page, size, WASMTIME_PROT_READ | WASMTIME_PROT_EXEC) == 0);
  engine.load = (code_t)(uintptr_t)engine.page;
  engine.stop = (code_t)(uintptr_t)(engine.page + STOP_AT);
  return engine;
}

/* Wasmtime's pointer has its lowest bit set once the thread is known. */
void enter_wasm(void) {
  static __thread uint64_t activation[2];
  wasmtime_tls_set(0, (uint8_t *)activation + 1);
}

void leave_wasm(void) { wasmtime_tls_set(0, (uint8_t *)(uintptr_t)1); }

/* Not setjmp, which may do more. Apple's compiler has the builtins for x86-64 only; its _setjmp does nothing more. */
#if defined(__APPLE__)
static __thread jmp_buf landing;
#define LAND() _setjmp(landing)
#define JUMP() _longjmp(landing, 1)
#else
static __thread void *landing[5];
#define LAND() __builtin_setjmp(landing)
#define JUMP() __builtin_longjmp(landing, 1)
#endif

int __attribute__((noinline)) run_wasm(code_t function, const volatile void *argument) {
  enter_wasm();
  if (LAND() != 0) {
    leave_wasm();
    return 1;
  }
  function(argument);
  leave_wasm();
  return 0;
}

void jump_out(uintptr_t ip, uintptr_t fp, bool has_faulting_addr, uintptr_t faulting_addr) {
  told_ip = ip;
  told_fp = fp;
  told_has_address = has_faulting_addr;
  told_address = faulting_addr;
  times_told++;
  JUMP();
}

static int goes_through_a_pipe(void *address, int write_to_it) {
  int ends[2];
  char byte = 0;
  must(pipe(ends) == 0);
  must(!write_to_it || write(ends[1], &byte, 1) == 1);
  ssize_t done = write_to_it ? read(ends[0], address, 1) : write(ends[1], address, 1);
  must(done == 1 || errno == EFAULT);
  close(ends[0]);
  close(ends[1]);
  return done == 1;
}

int readable(const void *address) { return goes_through_a_pipe((void *)(uintptr_t)address, 0); }
int writable(void *address) { return goes_through_a_pipe(address, 1); }
