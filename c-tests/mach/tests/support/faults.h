/*
 * Instructions that fault, each with the place behind it, where an exception server may let the thread go on.
 *
 * FAULT(record, instruction) runs one; the registers that it needs are its own.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <mach/mach.h>

/* Where the instruction is, and where the next one is. Written by the thread that is about to fault. */
typedef struct fault_place {
  volatile size_t at;
  volatile size_t behind;
} fault_place_t;

#if defined(__x86_64__)
#define FAULT(place, instruction, ...)                                                              \
  __asm__ volatile("lea 1f(%%rip), %%rax\n\t"                                                       \
                   "mov %%rax, %0\n\t"                                                              \
                   "lea 2f(%%rip), %%rax\n\t"                                                       \
                   "mov %%rax, %1\n\t"                                                              \
                   "1: " instruction "\n\t"                                                         \
                   "2:"                                                                             \
                   : "=m"((place)->at), "=m"((place)->behind)                                       \
                   : __VA_ARGS__                                                                    \
                   : "rax", "rdx", "memory", "cc")
static inline void fault_illegal(fault_place_t *place) { FAULT(place, "ud2", "c"(0)); }
static inline void fault_breakpoint(fault_place_t *place) { FAULT(place, "int3", "c"(0)); }
static inline void fault_load(fault_place_t *place, uint64_t address) { FAULT(place, "mov (%2), %%rax", "c"(address)); }
static inline void fault_store(fault_place_t *place, uint64_t address) {
  FAULT(place, "movq $0, (%2)", "c"(address));
}
static inline void fault_privileged(fault_place_t *place) { FAULT(place, "hlt", "c"(0)); }
/* 1 / 0, and the smallest number / -1. */
static inline void fault_divide(fault_place_t *place) { FAULT(place, "cltd; idivl %%ecx", "c"(0)); }
#elif defined(__aarch64__)
#define FAULT(place, instruction, ...)                                                              \
  __asm__ volatile("adr x9, 1f\n\t"                                                                 \
                   "str x9, %0\n\t"                                                                 \
                   "adr x9, 2f\n\t"                                                                 \
                   "str x9, %1\n\t"                                                                 \
                   "1: " instruction "\n\t"                                                         \
                   "2:"                                                                             \
                   : "=m"((place)->at), "=m"((place)->behind)                                       \
                   : __VA_ARGS__                                                                    \
                   : "x9", "memory", "cc")
static inline void fault_illegal(fault_place_t *place) { FAULT(place, "udf 0", "r"(0)); }
static inline void fault_breakpoint(fault_place_t *place) { FAULT(place, "brk 0", "r"(0)); }
static inline void fault_load(fault_place_t *place, uint64_t address) { FAULT(place, "ldr x9, [%2]", "r"(address)); }
static inline void fault_store(fault_place_t *place, uint64_t address) {
  FAULT(place, "str xzr, [%2]", "r"(address));
}
#endif

/* The kind of state that exceptions bring, its size, and its program counter. */
#if defined(__x86_64__)
#define STATE_FLAVOR x86_THREAD_STATE64
#define STATE_WORDS x86_THREAD_STATE64_COUNT
typedef x86_thread_state64_t machine_state_t;
#define MACHINE_STATE_PC __rip
#else
#define STATE_FLAVOR ARM_THREAD_STATE64
#define STATE_WORDS ARM_THREAD_STATE64_COUNT
typedef arm_thread_state64_t machine_state_t;
#define MACHINE_STATE_PC __pc
#endif

static inline uint64_t state_pc(const natural_t *words) {
  machine_state_t state;
  memcpy(&state, words, sizeof state);
  return state.MACHINE_STATE_PC;
}

static inline void set_state_pc(natural_t *words, uint64_t pc) {
  machine_state_t state;
  memcpy(&state, words, sizeof state);
  state.MACHINE_STATE_PC = pc;
  memcpy(words, &state, sizeof state);
}

#endif
