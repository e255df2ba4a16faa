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

#endif
