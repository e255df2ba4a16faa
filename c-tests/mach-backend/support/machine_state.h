/* The registers that code has in use when it faults, those that a C compiler would not notice included. */
#ifndef MACHINE_STATE_H
#define MACHINE_STATE_H

#include <stdint.h>

/* The assembly knows the offsets. */
typedef struct machine_state_t {
  /* x86-64: all but rsp and the two with the pointers (r14, r15); arm64: x2 to x28. */
  uint64_t general[32];
  /* x86-64: MXCSR, x87 control word, x87 status word, rflags; arm64: FPCR, FPSR, NZCV. */
  uint64_t control[4];
  /* x86-64: the x87 stack, ten bytes each. */
  unsigned char x87[8][16];
  /* x86-64: ymm0 to ymm15, of which the upper halves are 0 without AVX; arm64: q0 to q31. */
  unsigned char vector[32][32];
} machine_state_t;

/* Puts a pattern into every register, notes them in `before`, loads from `address`, and notes them in `after`. */
void load_between_machine_states(const void *address, machine_state_t *before, machine_state_t *after);
/* Leaves nothing of that as it was, as far as a C function may: general registers that calls preserve stay. */
void spoil_machine_state(void);
/* What differs, in a static buffer; NULL if nothing does. */
const char *first_difference(const machine_state_t *before, const machine_state_t *after);

#endif
