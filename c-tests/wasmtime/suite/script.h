/*
 * A compiled script (compiler/src/script): a folder with modules and commands, run command by command in one store.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stddef.h>

#include "wasmtime_host.h"

/* What commands assert. */
typedef enum assertion_t {
  RETURN,
  TRAP,
  EXHAUSTION,
  EXCEPTION,
  UNLINKABLE,
  INVALID,
  MALFORMED,
  STEP,
  ASSERTIONS
} assertion_t;

/* How often each held. What is no assertion itself, but has to work, is a STEP. */
typedef struct counts_t {
  size_t passed[ASSERTIONS];
  size_t failed[ASSERTIONS];
} counts_t;

/* Runs the script in `folder` and adds to `counts`. `differs` is asked about each command that fails: whether that is
 * known, and then not counted. Returns 0 if the script cannot be read. */
int run_script(wasmtime_host_engine_t *engine, const wasmtime_host_module_t *spectest, const char *folder,
               const char *name, counts_t *counts, int (*differs)(const char *name, unsigned long line));

#endif
