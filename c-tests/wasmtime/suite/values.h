/*
 * The values of a script's commands: arguments to pass, and results to expect (compiler/src/script/commands.rs).
 */
#ifndef VALUES_H
#define VALUES_H

#include "wasmtime_host.h"

/* Reads TYPE:VALUE; 0 if it is none. */
int parse_argument(const char *word, wasmtime_host_value_t *value);
/* Whether the value is one of the alternatives that the word allows. */
int is_expected(const char *word, const wasmtime_host_value_t *value);
/* The value in a script's words, in a static buffer. */
const char *value_in_words(const wasmtime_host_value_t *value);

#endif
