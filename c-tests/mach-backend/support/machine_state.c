#include "machine_state.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <stdio.h>
#include <string.h>

static const char *named(const char *what, int number) {
  static char name[64];
  snprintf(name, sizeof name, "%s %d", what, number);
  return name;
}

const char *first_difference(const machine_state_t *before, const machine_state_t *after) {
  for (int i = 0; i < 32; i++) {
    if (before->general[i] != after->general[i]) return named("general register", i);
  }
  for (int i = 0; i < 4; i++) {
    if (before->control[i] != after->control[i]) return named("control register", i);
  }
  for (int i = 0; i < 8; i++) {
    if (memcmp(before->x87[i], after->x87[i], sizeof before->x87[i]) != 0) return named("x87 register", i);
  }
  for (int i = 0; i < 32; i++) {
    if (memcmp(before->vector[i], after->vector[i], sizeof before->vector[i]) != 0) return named("vector register", i);
  }
  return NULL;
}

/* In assembly: address, before, after, and whether there is AVX. */
void machine_state_load(const void *address, machine_state_t *before, machine_state_t *after, uint64_t has_avx);
void machine_state_spoil(uint64_t has_avx);

static uint64_t has_avx(void) {
#if defined(__x86_64__)
  unsigned eax, ebx, ecx, edx;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_AVX) != 0 && (ecx & bit_OSXSAVE) != 0;
#else
  return 0;
#endif
}

void load_between_machine_states(const void *address, machine_state_t *before, machine_state_t *after) {
  memset(before, 0, sizeof *before);
  memset(after, 0, sizeof *after);
  machine_state_load(address, before, after, has_avx());
}

void spoil_machine_state(void) { machine_state_spoil(has_avx()); }
