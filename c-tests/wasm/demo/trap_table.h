/*
 * The table of traps that the demonstration prints, at most 120 columns wide.
 */
#ifndef TRAP_TABLE_H
#define TRAP_TABLE_H

#include "expectations.h"
#include "wasmtrap.h"

void trap_table_heading(const char *module, const char *about);

/* Says in words what the trap record says. Frames that wasm2c added are left out, and those of the host outside of the
 * outermost WebAssembly function; a host function that WebAssembly called is "(host)". */
void trap_table_in_words(const wasmtrap_trap_t *trap, trap_in_words_t *words);

/* Prints a row, and below it what was expected where that is something else. Returns whether all was as expected. */
int trap_table_row(const wasmtrap_trap_t *trap, const expectation_t *expected);

#endif
