/*
 * A host of WAMR's: a module of c-tests/wasm/modules, loaded from the folder that the environment names, and called by
 * the names of its exports. What fails here ends the program; what traps is told in WAMR's words.
 */
#ifndef WAMR_HOST_H
#define WAMR_HOST_H

#include <stdint.h>

#include "wasm_export.h"

typedef struct guest_t {
  wasm_module_t module;
  wasm_module_inst_t instance;
  wasm_exec_env_t env;
  uint8_t *bytes;
} guest_t;

/* wasm_runtime_full_init, with `enter` as the import host.enter; host.refuse raises the exception "refused". */
typedef void (*enter_t)(wasm_exec_env_t env, int32_t what);
void runtime_begin(enter_t enter);
void runtime_end(void);

guest_t guest_new(const char *name);
void guest_delete(guest_t *guest);
/* Calls an export of one parameter or none. NULL if it returned, else what it trapped with, as WAMR says it. */
const char *guest_call(guest_t *guest, const char *name, int32_t argument);

#define OUT_OF_BOUNDS "Exception: out of bounds memory access"
#define STACK_OVERFLOW "Exception: native stack overflow"

#endif
