/*
 * What bad input gets: an error status, a sentence in wasmtrap_last_error that names the argument and its value,
 * outputs untouched, state untouched. The state is what wasmtrap_describe says of it: dispositions, registrations,
 * threads.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <stddef.h>

#include "wasmtrap.h"

/* From here on, a refused call must leave the state as it is now. */
void remember_state(void);
/* One check for all but the outputs. The sentence must contain `argument` and `value`; either may be NULL. */
int refused(wasmtrap_status_t got, wasmtrap_status_t expected, const char *argument, const char *value,
            const char *name);

/* Fills an output with a pattern, and tells whether it is still there. */
void fill(void *output, size_t size);
int untouched(const void *output, size_t size);

#endif
