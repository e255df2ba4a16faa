/*
 * What the programs share: an engine, modules of the compiler's by name, instances, and checks of errors.
 */
#ifndef HOSTING_H
#define HOSTING_H

#include "tap.h"
#include "wasmtime_host.h"
#include "wasmtrap.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Each gives up the test if it fails. */
wasmtime_host_engine_t *new_engine(void);
/* A file of the modules' folder (the environment variable WASM_MODULES, or where the build puts them). */
wasmtime_host_module_t *load(wasmtime_host_engine_t *engine, const char *file);
/* An instance in a store of its own, with host.refuse, which refuses, to import. */
wasmtime_host_instance_t *instantiate(wasmtime_host_engine_t *engine, const char *file);
/* The same in a store and with a linker of the caller's. */
wasmtime_host_instance_t *instantiate_in(wasmtime_host_linker_t *linker, wasmtime_host_store_t *store,
                                         const wasmtime_host_module_t *module);
wasmtime_host_linker_t *linker_with_refuse(wasmtime_host_engine_t *engine);
/* All of a file of the modules' folder, for the caller to free. */
unsigned char *read_module(const char *file, size_t *length);

/* Checks that there is an error of this kind whose message has `part` in it; frees it. */
int fails(wasmtime_host_error_t *error, wasmtime_host_error_kind_t kind, const char *part, const char *name);
/* Checks that there is a trap of this code and reason; frees it. */
int traps(wasmtime_host_error_t *error, uint32_t code, const char *reason, const char *name);
/* Checks that there is none. Shows and frees it if there is. */
int succeeds(wasmtime_host_error_t *error, const char *name);
/* Calls a function without parameters or results. */
wasmtime_host_error_t *call_action(const wasmtime_host_instance_t *instance, const char *name);
/* Calls a function of one i32 with one, or of none if it is NULL; gives up the test if it fails. */
int32_t call_number(const wasmtime_host_instance_t *instance, const char *name, const int32_t *argument);

#ifdef __cplusplus
}
#endif

#endif
