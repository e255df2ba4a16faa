/* Whatever code that traps has in the frame pointer's register, the handler reads nothing but the stack between the
 * trap and the protected call: the trap is a trap, and its backtrace ends there. Inside of one call and inside of two,
 * where the frames are looked at to find the call. */
#include <sys/mman.h>

#include "host.h"

static void *page;
static size_t frames[WASMTRAP_MAX_FRAMES];

typedef struct attempt_t {
  uint64_t frame_pointer;
  const char *name;
} attempt_t;

static void trap_with(uint64_t frame_pointer, const char *name) {
  wasm_access_t access = {address_of(page), frame_pointer};
  wasmtrap_trap_t trap = host_new_trap();
  trap.frames = frames;
  trap.frames_capacity = WASMTRAP_MAX_FRAMES;
  trapped_with(wasmtrap_call(wasm_load_with_frame_pointer.function, &access, &trap), &trap,
               WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, name);
  same(trap.fp, frame_pointer, "that was the register");
  ok(trap.frame_count >= 1 && frames[0] == trap.pc, "the backtrace begins with the load");
}

static void try_all(void *unused) {
  (void)unused;
  /* A page of the stack's own size class, before an inaccessible one. */
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
  unsigned char *const memory = mmap(NULL, 2 * page_size(), PROT_READ | PROT_WRITE, flags, -1, 0);
  must(memory != MAP_FAILED && mprotect(memory + page_size(), page_size(), PROT_NONE) == 0);
  const uint64_t here = address_of(__builtin_frame_address(0));
  uint64_t self[2];
  self[0] = address_of(self);
  self[1] = 1;
  uint64_t outwards[2];
  outwards[0] = address_of(memory) + page_size() - 8;
  outwards[1] = 1;
  const attempt_t attempts[] = {
      {0, "null"},
      {8, "next to null"},
      {UINT64_MAX - 7, "the last word"},
      {UINT64_MAX - 15, "where a record would wrap"},
      {UINT64_C(0x8000000000000000), "an address that is none"},
      {address_of(page), "a page that may not be touched"},
      {address_of(memory) + page_size() - 8, "a record half of which may not be touched"},
      {address_of(memory), "memory that is no stack"},
      {here, "a frame of the host's"},
      {here + 1, "an odd address in it"},
      {here + (UINT64_C(64) << 20), "far above the stack"},
      {here - (UINT64_C(1) << 30), "far below it"},
      {address_of(self), "a record that leads to itself"},
      {address_of(outwards), "a record that leads off the stack"},
  };
  for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
    trap_with(attempts[i].frame_pointer, attempts[i].name);
  }
  /* Each word for a mile: the guard, the frame of the call, its end, the host's frames. */
  for (uint64_t at = here - 2048; at < here + 2048; at += 8) {
    wasm_access_t access = {address_of(page), at};
    wasmtrap_trap_t trap = host_new_trap();
    trap.frames = frames;
    trap.frames_capacity = WASMTRAP_MAX_FRAMES;
    must(wasmtrap_call(wasm_load_with_frame_pointer.function, &access, &trap) == WASMTRAP_TRAPPED);
  }
}

int main(void) {
  host_init();
  host_register_code(&wasm_load_with_frame_pointer);
  page = inaccessible_page();
  try_all(NULL);
  same(wasmtrap_call(try_all, NULL, NULL), WASMTRAP_OK, "the same inside of another call");
  return tap_done();
}
