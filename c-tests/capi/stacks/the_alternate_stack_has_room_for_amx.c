/* AMX's tiles make a signal frame of some 11 KiB. A host may ask the kernel for them after the library has given its
 * threads alternate stacks, which the kernel looks at; then calls trap with tiles in use, by a fault and by an overflow
 * of the stack, and the tiles can be used after that. */
#include <pthread.h>

#include "amx.h"
#include "host.h"
#include "process.h"

#if defined(HAS_AMX_INTERFACE)
static unsigned char tile[TILE_BYTES], zeros[TILE_BYTES];

static void trap_with_tiles(const wasm_code_t *code, void *argument, wasmtrap_code_t trap_code, const char *name) {
  wasmtrap_trap_t trap;
  amx_configure();
  amx_load(tile, tile);
  trapped_with(host_call(code, argument, &trap), &trap, trap_code, name);
  /* Tiles are lost in any call. What is loaded anew is there. */
  unsigned char first[TILE_BYTES], last[TILE_BYTES], byte = 0;
  memcpy(first, tile, sizeof first);
  memcpy(last, tile, sizeof last);
  amx_configure();
  amx_load(zeros, zeros);
  amx_load_access_store(first, last, &byte);
  amx_release();
  ok(memcmp(first, tile, sizeof tile) == 0 && memcmp(last, tile, sizeof tile) == 0, "%s: tiles afterwards", name);
}

static void *trap(void *in_new_thread) {
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  /* The thread that was there before asks, once. */
  if (!in_new_thread) ok(amx_request(), "the kernel gives tiles to a process with the library's alternate stack");
  wasm_access_t access = {address_of(inaccessible_page()), 0};
  trap_with_tiles(&wasm_load, &access, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a load");
  wasm_access_t depth = {0, 0};
  trap_with_tiles(&wasm_recurse, &depth, WASMTRAP_CODE_STACK_OVERFLOW, "a recursion without end");
  return NULL;
}

static void run(void *alternate_stack_size) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.backend = WASMTRAP_BACKEND_SIGNALS;
  options.alternate_stack_size = *(const size_t *)alternate_stack_size;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
  host_register_code(&wasm_load);
  host_register_code(&wasm_recurse);
  for (int byte = 0; byte < TILE_BYTES; byte++) tile[byte] = (unsigned char)(byte * 7 + (byte >> 8) + 1);
  trap(NULL);
  pthread_t thread;
  must(pthread_create(&thread, NULL, trap, tile) == 0);
  must(pthread_join(thread, NULL) == 0);
}

int main(void) {
  if (!amx_is_there()) return tap_skip_all("the processor or the kernel has no AMX");
  size_t size = 0;
  child_passes(run, &size, "alternate stacks of the library's own size");
  size = 16384;
  child_passes(run, &size, "the smallest that can be asked for");
  return tap_done();
}
#else
int main(void) { return tap_skip_all("AMX is x86-64's, and the way to ask for it Linux's"); }
#endif
