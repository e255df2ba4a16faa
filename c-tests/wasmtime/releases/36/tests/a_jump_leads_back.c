/* Wasmtime 36's way back from a trap: wasmtime_setjmp says what its callback says, or false after wasmtime_longjmp,
 * from however deep, out of the trap handler too, with all that a function preserves as it was. And its thread-local
 * word, which has no number. */
#include <fenv.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tap.h"

#define WASMTIME_PROT_READ 1u
#define WASMTIME_PROT_WRITE 2u
#define WASMTIME_PROT_EXEC 4u
typedef void (*wasmtime_trap_handler_t)(uintptr_t ip, uintptr_t fp, bool has_faulting_addr, uintptr_t faulting_addr);
int wasmtime_init_traps(wasmtime_trap_handler_t handler);
uint8_t *wasmtime_tls_get(void);
void wasmtime_tls_set(uint8_t *value);
int wasmtime_mmap_new(uintptr_t size, uint32_t protection, uint8_t **result);
int wasmtime_mprotect(uint8_t *address, uintptr_t size, uint32_t protection);
uintptr_t wasmtime_page_size(void);
bool wasmtime_setjmp(const uint8_t **jump, bool (*callback)(uint8_t *, uint8_t *), uint8_t *payload, uint8_t *callee);
void wasmtime_longjmp(const uint8_t *jump) __attribute__((noreturn));

typedef struct run_t {
  const uint8_t *jump;
  void (*code)(void);
  int depth;
} run_t;

static bool says(uint8_t *payload, uint8_t *callee) { return payload == callee; }

static bool jumps(uint8_t *payload, uint8_t *callee);
static bool (*volatile deeper)(uint8_t *, uint8_t *) = jumps;

/* With nothing in the registers that it has to preserve, and another rounding mode. */
static bool jumps(uint8_t *payload, uint8_t *callee) {
  run_t *const run = (run_t *)(void *)payload;
  if (run->depth-- > 0) return deeper(payload, callee) && run->depth > 1000;
  must(fesetround(FE_TOWARDZERO) == 0);
#if defined(__x86_64__)
  __asm__ volatile("xor %%ebx, %%ebx; xor %%r12d, %%r12d; xor %%r13d, %%r13d; xor %%r14d, %%r14d; xor %%r15d, %%r15d\n"
                   "mov %0, %%rdi\n"
                   "call wasmtime_longjmp@PLT" ::"m"(run->jump)
                   : "rbx", "r12", "r13", "r14", "r15", "rdi", "memory");
#endif
  wasmtime_longjmp(run->jump);
}

static void __attribute__((noinline)) all_is_as_it_was(run_t *run, uintptr_t a) {
  /* More values than there are registers that are preserved. */
  const uintptr_t b = a * 3, c = a * 5, d = a * 7, e = a * 11, f = a * 13, g = a * 17;
  const int rounding = fegetround();
  uintptr_t sum = b ^ c ^ d ^ e ^ f ^ g;
  const bool returned = wasmtime_setjmp(&run->jump, jumps, (uint8_t *)run, NULL);
  ok(!returned, "false after a jump");
  ok(sum == (b ^ c ^ d ^ e ^ f ^ g) && g == a * 17 && b == a * 3, "what was in registers is there");
  ok(fegetround() == rounding, "the rounding mode is as it was");
}

/* An inner one on the way: each leads back to its own. */
static bool inner(uint8_t *payload, uint8_t *callee) {
  run_t own = {.depth = 2};
  ok(!wasmtime_setjmp(&own.jump, jumps, (uint8_t *)&own, callee), "the inner one");
  must(fesetround(FE_UPWARD) == 0);
  wasmtime_longjmp(((run_t *)(void *)payload)->jump);
}

static run_t *running;
static int times_told;
static void take(uintptr_t ip, uintptr_t fp, bool has_faulting_addr, uintptr_t faulting_addr) {
  (void)fp, (void)has_faulting_addr, (void)faulting_addr;
  times_told += ip == (uintptr_t)running->code;
  wasmtime_longjmp(running->jump);
}

static bool enter(uint8_t *payload, uint8_t *callee) {
  (void)callee;
  static __thread uint64_t activation[2];
  wasmtime_tls_set((uint8_t *)activation + 1);
  ((run_t *)(void *)payload)->code();
  return true;
}

static void *another_thread(void *found) {
  *(uint8_t **)found = wasmtime_tls_get();
  wasmtime_tls_set((uint8_t *)found);
  return NULL;
}

int main(void) {
  uint8_t byte = 0;
  const uint8_t *jump = NULL;
  ok(wasmtime_setjmp(&jump, says, &byte, &byte), "true, as the callback says");
  ok(!wasmtime_setjmp(&jump, says, &byte, NULL), "false, as it says");
  run_t run = {.depth = 0};
  all_is_as_it_was(&run, (uintptr_t)&byte);
  run.depth = 100;
  all_is_as_it_was(&run, (uintptr_t)&byte);
  const int rounding = fegetround();
  ok(!wasmtime_setjmp(&run.jump, inner, (uint8_t *)&run, NULL), "and the outer one");
  ok(fegetround() == rounding, "with its rounding mode");

  /* Out of the handler, many times: nothing is left behind. */
#if defined(__x86_64__)
  static const uint8_t stop[] = {0x0f, 0x0b, 0xc3}; /* ud2; ret */
#else
  static const uint8_t stop[] = {0x00, 0x00, 0x00, 0x00}; /* udf #0 */
#endif
  must(wasmtime_init_traps(take) == 0);
  uint8_t *page = NULL;
  must(wasmtime_mmap_new(wasmtime_page_size(), WASMTIME_PROT_READ | WASMTIME_PROT_WRITE, &page) == 0);
  memcpy(page, stop, sizeof stop);
  must(wasmtime_mprotect(page, wasmtime_page_size(), WASMTIME_PROT_READ | WASMTIME_PROT_EXEC) == 0);
  run.code = (void (*)(void))(uintptr_t)page;
  running = &run;
  int trapped = 0;
  for (int i = 0; i < 10000; i++) trapped += !wasmtime_setjmp(&run.jump, enter, (uint8_t *)&run, NULL);
  same(trapped, 10000, "each trap leads back");
  same(times_told, 10000, "and came to the handler");

  uint8_t *const mine = (uint8_t *)&run;
  wasmtime_tls_set(mine);
  uint8_t *found = &byte;
  pthread_t thread;
  must(pthread_create(&thread, NULL, another_thread, &found) == 0 && pthread_join(thread, NULL) == 0);
  ok(found == NULL, "another thread's word begins with NULL");
  ok(wasmtime_tls_get() == mine, "and this one's stays");
  return tap_done();
}
