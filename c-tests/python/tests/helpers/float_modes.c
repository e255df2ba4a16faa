/* The processor's floating-point control word, for ctypes: rounding, flush-to-zero, and what else a thread can set. */
#include <stdint.h>

#if defined(__x86_64__)
/* MXCSR without its sticky flags. */
enum { STICKY = 0x3f };

uint64_t float_modes_get(void) {
  uint32_t word;
  __asm__ __volatile__("stmxcsr %0" : "=m"(word));
  return word & ~(uint32_t)STICKY;
}

void float_modes_set(uint64_t modes) {
  uint32_t word = (uint32_t)modes;
  __asm__ __volatile__("ldmxcsr %0" : : "m"(word));
}

/* x87: rounding and precision. */
uint64_t float_modes_get_x87(void) {
  uint16_t word;
  __asm__ __volatile__("fnstcw %0" : "=m"(word));
  return word;
}

void float_modes_set_x87(uint64_t modes) {
  uint16_t word = (uint16_t)modes;
  __asm__ __volatile__("fldcw %0" : : "m"(word));
}

/* Round up, flush results to zero, take denormals as zero. */
uint64_t float_modes_unusual(uint64_t usual) { return usual | 0x4000 | 0x8000 | 0x0040; }
#else
uint64_t float_modes_get(void) {
  uint64_t word;
  __asm__ __volatile__("mrs %0, fpcr" : "=r"(word));
  return word;
}

void float_modes_set(uint64_t modes) { __asm__ __volatile__("msr fpcr, %0" : : "r"(modes)); }

uint64_t float_modes_get_x87(void) { return 0; }
void float_modes_set_x87(uint64_t modes) { (void)modes; }

uint64_t float_modes_unusual(uint64_t usual) { return usual | 1u << 22 | 1u << 24; }
#endif
