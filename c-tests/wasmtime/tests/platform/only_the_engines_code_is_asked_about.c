/* A fault elsewhere, in code of the host's that Wasm has called, or in code that is executable no more, never comes to
 * Wasmtime's handler: it goes to whoever was there before. */
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "platform.h"
#include "process.h"
#include "tap.h"
#include "wasmtrap.h"

static sigjmp_buf crashed;

static void earlier(int signal) {
  (void)signal;
  siglongjmp(crashed, 1);
}

static int crashes(code_t function, const volatile void *argument) {
  enter_wasm();
  int result = sigsetjmp(crashed, 1);
  if (result == 0) function(argument);
  leave_wasm();
  return result;
}

static int read_in_c(const volatile void *argument) { return *(const volatile int *)argument; }

/* Recursion without an end that a compiler could see: no argument is NULL. */
static void overflow(void *argument) {
  volatile char frame[4096];
  frame[0] = argument != NULL;
  if (frame[0]) overflow((void *)(uintptr_t)frame);
  frame[1] = 0;
}

static void overflow_in_wasm(void *argument) {
  enter_wasm();
  overflow(argument);
}

int main(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = earlier;
  must(sigaction(SIGSEGV, &action, NULL) == 0);
  must(wasmtime_init_traps(jump_out) == 0);
  engine_t engine = new_code();
  times_told = 0;
  const volatile void *volatile nowhere = (const void *)8;
  same(crashes(read_in_c, nowhere), 1, "a fault in the host, with Wasm further out, is the earlier handler's");
  same(times_told, 0, "and Wasmtime's handler is not asked");
  same(run_wasm(engine.load, (const void *)8), 1, "a fault of the code is taken");
  leave_wasm();
  same(sigsetjmp(crashed, 1) == 0 ? engine.load((const void *)8) : 4711, 4711, "outside of Wasm it is not");

  /* By way of the library's own tables it is no trap either: a protected call of somebody else's is not the place. */
  wasmtrap_code_info_t info = {0};
  info.struct_size = sizeof info;
  same(wasmtrap_code_lookup(engine.page, &info), WASMTRAP_OK, "the code is registered");
  same(info.length, wasmtime_page_size(), "all of it");

  size_t size = wasmtime_page_size();
  must(wasmtime_mprotect(engine.page, size, WASMTIME_PROT_READ | WASMTIME_PROT_WRITE) == 0);
  same(wasmtrap_code_lookup(engine.page, &info), WASMTRAP_ERR_NOT_FOUND, "writable again, it is registered no more");
  must(wasmtime_mprotect(engine.page, size, WASMTIME_PROT_READ | WASMTIME_PROT_EXEC) == 0);
  same(run_wasm(engine.load, (const void *)8), 1, "executable again, its faults are taken");
  must(wasmtime_mmap_remap(engine.page, size, 0) == 0);
  same(wasmtrap_code_lookup(engine.page, &info), WASMTRAP_ERR_NOT_FOUND, "nor is it after a remap");
  must(wasmtime_munmap(engine.page, size) == 0);
  engine = new_code();
  must(wasmtime_munmap(engine.page, size) == 0);
  same(wasmtrap_code_lookup(engine.page, &info), WASMTRAP_ERR_NOT_FOUND, "nor after it was unmapped");
  signal(SIGSEGV, SIG_DFL);
  child_dies_of(SIGSEGV, overflow_in_wasm, &engine, "a stack overflow in the host");
  return tap_done();
}
