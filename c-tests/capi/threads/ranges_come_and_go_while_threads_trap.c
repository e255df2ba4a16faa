/* Threads trap in code that stays while others register and unregister around it; a trap always finds its own range and
 * region, and code that comes and goes traps whenever it is registered. */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "host.h"

enum { TRAPPERS = 3, CHURNERS = 2, SLOTS = 64, ROUNDS = 20000 };
/* macOS has no memory that is writable and executable at once, so that each slot needs pages of its own. */
#if defined(__APPLE__)
enum { SLOT_SIZE = 16384 };
#else
enum { SLOT_SIZE = 64 };
#endif

static volatile int done;
static volatile int wrong;
static unsigned char *buffer;
static unsigned char *pages;
/* Even slots belong to the churners, odd ones stay. */
static wasm_code_t code[SLOTS];
static uint64_t code_ids[SLOTS], region_ids[SLOTS];

static void fail_once(const char *what, uint64_t got, uint64_t expected) {
  if (__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED) == 0) {
    tap_note("%s: %llx, expected %llx", what, (unsigned long long)got, (unsigned long long)expected);
  }
}

static void trap_in(unsigned slot) {
  wasmtrap_trap_t trap;
  unsigned char *const address = pages + slot * page_size() + 8;
  const wasmtrap_status_t status = host_load(&code[slot], address, &trap);
  if (status != WASMTRAP_TRAPPED) fail_once("status", (uint64_t)status, WASMTRAP_TRAPPED);
  if (trap.code_id != code_ids[slot]) fail_once("code id", trap.code_id, code_ids[slot]);
  if (trap.region_id != region_ids[slot]) fail_once("region id", trap.region_id, region_ids[slot]);
  if (trap.region_offset != 8) fail_once("region offset", trap.region_offset, 8);
}

static void *trap_all_the_time(void *start) {
  unsigned slot = *(const unsigned *)start | 1;
  while (!done) {
    trap_in(slot);
    slot = (slot + 2) % SLOTS;
  }
  return NULL;
}

static void register_slot(unsigned slot) {
  code_ids[slot] = host_register_strict_code(&code[slot]);
  region_ids[slot] = host_register_region(pages + slot * page_size(), page_size(), WASMTRAP_CODE_NONE);
}

static void *come_and_go(void *start) {
  const unsigned first = *(const unsigned *)start;
  for (unsigned round = 0; round < ROUNDS; round++) {
    /* Each churner has its own share of the even slots. */
    const unsigned slot = (first * 2 + round * 2 * CHURNERS) % SLOTS;
    register_slot(slot);
    trap_in(slot);
    if (wasmtrap_code_unregister(code_ids[slot]) != WASMTRAP_OK) fail_once("unregister", 0, 1);
    if (wasmtrap_region_unregister(region_ids[slot]) != WASMTRAP_OK) fail_once("unregister", 0, 1);
    /* Nobody looks at it any more: the code may be overwritten. */
#if !defined(__APPLE__)
    memset(buffer + slot * SLOT_SIZE, 0xcc, code[slot].length);
#endif
    code[slot] = wasm_copy(&wasm_load, buffer, slot * SLOT_SIZE);
  }
  return NULL;
}

int main(void) {
  host_init();
  must(wasm_load.length <= SLOT_SIZE);
  buffer = wasm_code_buffer(SLOTS * SLOT_SIZE);
  pages = mmap(NULL, SLOTS * page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(pages != MAP_FAILED);
  for (unsigned slot = 0; slot < SLOTS; slot++) {
    code[slot] = wasm_copy(&wasm_load, buffer, slot * SLOT_SIZE);
    if (slot % 2 != 0) register_slot(slot);
  }
  pthread_t trappers[TRAPPERS], churners[CHURNERS];
  unsigned starts[TRAPPERS];
  for (unsigned i = 0; i < TRAPPERS; i++) {
    starts[i] = i;
    must(pthread_create(&trappers[i], NULL, trap_all_the_time, &starts[i]) == 0);
  }
  for (unsigned i = 0; i < CHURNERS; i++) must(pthread_create(&churners[i], NULL, come_and_go, &starts[i]) == 0);
  for (unsigned i = 0; i < CHURNERS; i++) must(pthread_join(churners[i], NULL) == 0);
  done = 1;
  for (unsigned i = 0; i < TRAPPERS; i++) must(pthread_join(trappers[i], NULL) == 0);
  same(wrong, 0, "each trap was caught, in its own range and region");
  for (unsigned slot = 1; slot < SLOTS; slot += 2) trap_in(slot);
  same(wrong, 0, "the ranges that stayed are all there");
  wasmtrap_code_info_t info = {0};
  info.struct_size = sizeof info;
  int found = 0;
  for (unsigned slot = 0; slot < SLOTS; slot += 2) {
    if (wasmtrap_code_lookup(code[slot].start, &info) != WASMTRAP_ERR_NOT_FOUND) found++;
  }
  same(found, 0, "those that went are not");
  return tap_done();
}
