/* Between wasmtrap_guest_access_begin and _end a fault in a region with WASMTRAP_REGION_ANY_PC is a trap wherever the
 * program counter is: in the host's own code, in libc's memmove. No code is registered. */
#include <string.h>

#include "host.h"

static linear_memory_t memory;
static uint64_t region_id;
static unsigned char buffer[256];

/* What the host's functions do inside of their protected call. */
typedef struct access_t {
  /* From the start of the memory. */
  size_t offset;
  unsigned char value;
  int came_to_the_end;
} access_t;

static void load(void *argument) {
  access_t *const access = argument;
  wasmtrap_guest_access_t mark;
  must(wasmtrap_guest_access_begin(WASMTRAP_CLIENT_DEFAULT, &mark) == WASMTRAP_OK);
  access->value = *(volatile unsigned char *)(memory.base + access->offset);
  must(wasmtrap_guest_access_end(&mark) == WASMTRAP_OK);
  access->came_to_the_end = 1;
}

static void copy(void *argument) {
  access_t *const access = argument;
  void *(*volatile const move)(void *, const void *, size_t) = memmove;
  must(wasmtrap_guest_access_begin(WASMTRAP_CLIENT_DEFAULT, NULL) == WASMTRAP_OK);
  move(memory.base + access->offset, buffer, sizeof buffer);
  access->came_to_the_end = 1;
}

static void nested(void *argument) {
  access_t *const access = argument;
  wasmtrap_guest_access_t outer, inner;
  must(wasmtrap_guest_access_begin(WASMTRAP_CLIENT_DEFAULT, &outer) == WASMTRAP_OK);
  must(wasmtrap_guest_access_begin(WASMTRAP_CLIENT_DEFAULT, &inner) == WASMTRAP_OK);
  must(wasmtrap_guest_access_end(&inner) == WASMTRAP_OK);
  access->value = *(volatile unsigned char *)(memory.base + access->offset);
  access->came_to_the_end = 1;
}

/* The inner call's trap leaves the outer call's mark as it was. */
static void after_an_inner_call(void *argument) {
  access_t *const access = argument;
  must(wasmtrap_guest_access_begin(WASMTRAP_CLIENT_DEFAULT, NULL) == WASMTRAP_OK);
  access_t inner = {.offset = memory.size};
  must(wasmtrap_call(load, &inner, NULL) == WASMTRAP_TRAPPED);
  access->value = *(volatile unsigned char *)(memory.base + access->offset);
  access->came_to_the_end = 1;
}

static void trap_of(wasmtrap_function_t function, size_t offset, const char *name) {
  access_t access = {.offset = offset};
  uintptr_t frames[16];
  wasmtrap_trap_t trap = host_new_trap();
  trap.frames = frames;
  trap.frames_capacity = sizeof frames / sizeof *frames;
  trapped_with(wasmtrap_call(function, &access, &trap), &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, name);
  ok(!access.came_to_the_end, "... and the rest of the host's function was dropped");
  same(trap.source, WASMTRAP_SOURCE_FAULT, "... it came from a fault");
  same(trap.flags & (WASMTRAP_HAS_CODE | WASMTRAP_HAS_REGION | WASMTRAP_BY_REGION_ALONE),
       WASMTRAP_HAS_REGION | WASMTRAP_BY_REGION_ALONE, "... by its region alone");
  same(trap.region_id, region_id, "... of that id");
  ok(trap.region_offset >= offset && trap.region_offset < offset + sizeof buffer, "... at the offset %zu",
     trap.region_offset);
  ok(trap.frame_count >= 1 && frames[0] == trap.pc, "... with the host's frames in the backtrace");
}

int main(void) {
  host_init();
  memory = linear_memory_new(1);
  wasmtrap_region_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.base = memory.base;
  desc.length = memory.reserved;
  desc.accessible = memory.size;
  desc.flags = WASMTRAP_REGION_ANY_PC;
  must(wasmtrap_region_register(&desc, &region_id) == WASMTRAP_OK);
  wasmtrap_region_info_t info = {.struct_size = sizeof info};
  must(wasmtrap_region_lookup(memory.base, &info) == WASMTRAP_OK);
  same(info.flags, WASMTRAP_REGION_ANY_PC, "the region's flags can be asked for");

  access_t access = {.offset = 7};
  memory.base[7] = 42;
  same(wasmtrap_call(load, &access, NULL), WASMTRAP_OK, "a load in bounds");
  same(access.value, 42, "... reads what is there");
  for (int i = 0; i < 2; i++) {
    trap_of(load, memory.size, "a load out of bounds");
    trap_of(copy, memory.size, "memmove out of bounds, marked for the rest of the call");
    trap_of(nested, memory.size + 8, "a load within two marks, the inner one of which has ended");
    trap_of(after_an_inner_call, memory.size, "a load after a trap of an inner call with a mark of its own");
  }
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "no call is left behind");
  return tap_done();
}
