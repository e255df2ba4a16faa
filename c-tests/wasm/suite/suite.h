/*
 * Runs the commands of one file of the specification's test suite: program.py turns the file into a table of commands,
 * and suite_main goes through it on the library.
 *
 * Each command is one check. What it says about itself goes to standard output: a line for every check that failed, and
 * one line of counts at the end. A process that does not come to that line has failed as a whole.
 */
#ifndef SUITE_H
#define SUITE_H

#include <stddef.h>
#include <stdint.h>

#include "wasm_rt_wasmtrap.h"

/* An argument or a result; a vector is two, its low half first. References to functions are only told apart as null (0)
 * and not (1); external references are numbers, kept one up so that null is 0. */
typedef union suite_value_t {
  uint64_t bits;
  uint32_t i32;
  uint64_t i64;
  float f32;
  double f64;
} suite_value_t;

/* What a result must be. */
typedef enum suite_match_t {
  SUITE_8_BITS,
  SUITE_16_BITS,
  SUITE_32_BITS,
  SUITE_64_BITS,
  SUITE_F32_CANONICAL_NAN,
  SUITE_F32_ARITHMETIC_NAN,
  SUITE_F64_CANONICAL_NAN,
  SUITE_F64_ARITHMETIC_NAN,
  SUITE_ANY_FUNCTION
} suite_match_t;

/* Of a vector, a lane has one. */
typedef struct suite_result_t {
  suite_match_t match;
  uint64_t bits;
  /* The value that it is in, and where in it, in bits from the lowest. */
  unsigned value;
  unsigned shift;
} suite_result_t;

typedef enum suite_kind_t {
  SUITE_MODULE,
  SUITE_ACTION,
  SUITE_RETURN,
  SUITE_TRAP,
  SUITE_EXHAUSTION,
  SUITE_KINDS
} suite_kind_t;

typedef void (*suite_function_t)(const suite_value_t *arguments, suite_value_t *results);

typedef struct suite_command_t {
  suite_kind_t kind;
  int line;
  /* What is called, in words. */
  const char *name;
  suite_function_t function;
  /* To be registered before the call; NULL for none. */
  const wasm_rt_wasmtrap_module_t *module;
  const suite_value_t *arguments;
  const suite_result_t *results;
  size_t result_count;
  /* The trap that it must end with; NULL for none. */
  const char *trap;
} suite_command_t;

enum { SUITE_MAX_RESULTS = 32 };

int suite_main(const suite_command_t *commands, size_t count);

#endif
