/* A trap taken in streaming mode, or with ZA on (SME), returns from wasmtrap_call with both off, as AAPCS64 wants them
 * at a function that was entered so, and with the callee-saved vector registers as they were. A ZA that is the
 * caller's, which waits to be saved (TPIDR2_EL0), stays as it is. */
#include <pthread.h>
#include <sys/auxv.h>

#include "host.h"

enum { SM = 1, ZA = 2 };
#define SMSTART_SM ".inst 0xd503437f\n"
#define SMSTART_ZA ".inst 0xd503457f\n"
#define SMSTOP ".inst 0xd503467f\n"
#define SVCR "s3_3_c4_c2_2"
#define TPIDR2 "s3_3_c13_c0_5"

/* Guests: they fault, or raise, at an address in x0. The last ones have a block of their own in TPIDR2_EL0. */
__asm__(
    ".text\n"
    ".balign 16\n"
    /* Not local: GNU ld would give all of them one entry of the table of offsets. */
    ".globl guests, guests_end, guest_plain, guest_streaming, guest_with_za, guest_with_both\n"
    ".globl guest_with_block, guest_that_raises\n"
    "guests:\n"
    "guest_plain: hint #34\n ldr x1, [x0]\n ret\n"
    "guest_streaming: hint #34\n" SMSTART_SM "ldr x1, [x0]\n ret\n"
    "guest_with_za: hint #34\n" SMSTART_ZA "ldr x1, [x0]\n ret\n"
    "guest_with_both: hint #34\n" SMSTART_SM SMSTART_ZA "ldr x1, [x0]\n ret\n"
    "guest_with_block: hint #34\n" SMSTART_ZA "sub sp, sp, #32\n mov x1, sp\n stp xzr, xzr, [x1]\n msr " TPIDR2 ", x1\n"
    "ldr x1, [x0]\n ret\n"
    "guest_that_raises: hint #34\n stp x29, x30, [sp, #-48]!\n mov x29, sp\n" SMSTART_ZA
    "add x1, sp, #16\n stp xzr, xzr, [x1]\n msr " TPIDR2 ", x1\n mov w0, #0x1001\n mov x1, xzr\n bl wasmtrap_raise\n"
    "guests_end:\n");
extern const char guests[], guests_end[];
void guest_plain(void *), guest_streaming(void *), guest_with_za(void *), guest_with_both(void *);
void guest_with_block(void *), guest_that_raises(void *);

static uint64_t streaming_state(void) {
  uint64_t state;
  __asm__ volatile("mrs %0, " SVCR : "=r"(state));
  return state & (SM | ZA);
}

static uint64_t block(void) {
  uint64_t address;
  __asm__ volatile("mrs %0, " TPIDR2 : "=r"(address));
  return address;
}

/* The caller's d8 is in use across the call. */
static wasmtrap_status_t call(wasmtrap_function_t guest, wasmtrap_trap_t *trap, double *kept) {
  register double value __asm__("d8") = 1.5;
  __asm__ volatile("" : "+w"(value));
  const wasmtrap_status_t status = wasmtrap_call(guest, inaccessible_page(), trap);
  __asm__ volatile("" : "+w"(value));
  *kept = value;
  return status;
}

static void ends(wasmtrap_function_t guest, wasmtrap_code_t code, const char *name) {
  wasmtrap_trap_t trap = host_new_trap();
  double kept = 0;
  const wasmtrap_status_t status = call(guest, &trap, &kept);
  const uint64_t state = streaming_state(), pending = block();
  __asm__ volatile(SMSTOP ::: "memory");
  trapped_with(status, &trap, code, name);
  same(state, 0, "... and both are off");
  same(pending, 0, "... and no ZA waits to be saved");
  ok(kept == 1.5, "... and d8 is the caller's");
}

/* The caller's ZA waits to be saved by whoever needs it: as long as nobody has, it is the caller's. */
static void keeps_the_callers(wasmtrap_function_t guest, int saved, const char *name) {
  static uint64_t buffer[2];
  wasmtrap_trap_t trap = host_new_trap();
  double kept = 0;
  __asm__ volatile(SMSTART_ZA "msr " TPIDR2 ", %0" ::"r"(buffer) : "memory");
  const wasmtrap_status_t status = call(guest, &trap, &kept);
  const uint64_t state = streaming_state(), pending = block();
  __asm__ volatile("msr " TPIDR2 ", xzr\n" SMSTOP ::: "memory");
  trapped_with(status, &trap, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, name);
  same(state, saved ? 0 : ZA, "... ZA is %s", saved ? "off" : "on");
  same(pending, saved ? 0 : address_of(buffer), "... and %s", saved ? "forgotten" : "waits to be saved");
}

int main(void) {
  if ((getauxval(AT_HWCAP2) & (1UL << 23)) == 0) return tap_skip_all("the processor or the kernel has no SME");
  host_init();
  wasmtrap_code_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.start = guests;
  desc.length = (size_t)(guests_end - guests);
  uint64_t id = 0;
  must(wasmtrap_code_register(&desc, &id) == WASMTRAP_OK);
  const wasmtrap_code_t memory = WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS;
  for (int i = 0; i < 3; i++) {
    ends(guest_plain, memory, "a plain trap");
    ends(guest_streaming, memory, "a trap in streaming mode");
    ends(guest_with_za, memory, "a trap with ZA on");
    ends(guest_with_both, memory, "a trap with both");
    ends(guest_with_block, memory, "a trap over a frame whose ZA waits to be saved");
    ends(guest_that_raises, WASMTRAP_CODE_USER + 1, "wasmtrap_raise over such a frame");
    keeps_the_callers(guest_plain, 0, "the caller's ZA over a plain trap");
    keeps_the_callers(guest_streaming, 0, "the caller's ZA over a trap in streaming mode");
    keeps_the_callers(guest_with_block, 1, "the caller's ZA, replaced by the guest's");
  }
  return tap_done();
}
