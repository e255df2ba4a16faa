/*
 * What a caller of wasmtrap_call finds in its callee-saved registers afterwards. In assembly (registers_*.S), because a
 * compiler would keep nothing in them just when it matters.
 */
#ifndef REGISTERS_H
#define REGISTERS_H

#include "wasmtrap.h"

enum { REGISTERS_AFTER = 24 };

/* wasmtrap_call(function, argument, trap) with REGISTER_KEPT(n) in each callee-saved register; `after` receives what
 * they hold when it is back, in the order given in the assembly, and the floating-point control registers. */
wasmtrap_status_t call_and_compare_registers(wasmtrap_function_t function, void *argument, wasmtrap_trap_t *trap,
                                             uint64_t after[REGISTERS_AFTER]);
#define REGISTER_KEPT(number) (UINT64_C(0x5566778800000000) + (uint64_t)(number))

#endif
