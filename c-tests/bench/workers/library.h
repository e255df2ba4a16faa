/*
 * What the workers that measure the library have in common: setting it up.
 */
#ifndef BENCH_LIBRARY_H
#define BENCH_LIBRARY_H

#include <stddef.h>

#include <wasmtrap.h>

/* Ends the program with the library's own words if it refused. */
void require_ok(wasmtrap_status_t status);

/* Registers a strict range of code without trap sites, or a region. The id. */
uint64_t register_code(const void *start, size_t length);
uint64_t register_region(const void *base, size_t length);

/* Sets the library up as one whose traps leave their handlers by a jump (WASMTRAP_INIT_LEAVE_BY_JUMP). */
void init_to_leave_by_jump(void);
/* Measures while there is another client, which does not ask for that: traps leave by rt_sigreturn. */
double by_sigreturn(double (*measure)(const void *), const void *argument);

#endif
