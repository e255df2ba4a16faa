/*
 * A small WebAssembly host: the calls of wasmtrap.h that every host makes, with its answers to the questions that the
 * test at hand does not ask.
 */
#ifndef HOST_H
#define HOST_H

#include "memory.h"
#include "tap.h"
#include "wasm_code.h"
#include "wasmtrap.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wasmtrap_init with the defaults. */
void host_init(void);
/* The same with other kinds of fault than by default. */
void host_init_with_kinds(uint32_t fault_kinds);
/* All kinds of fault, breakpoints included. */
#define HOST_ALL_KINDS \
  (WASMTRAP_FAULT_MEMORY | WASMTRAP_FAULT_ILLEGAL | WASMTRAP_FAULT_ARITHMETIC | WASMTRAP_FAULT_BREAKPOINT)
/* A range that holds all of `code`, not strict, where any instruction may trap. */
uint64_t host_register_code(const wasm_code_t *code);
/* The same with a trap site at the instruction that may fault. */
uint64_t host_register_code_with_site(const wasm_code_t *code, wasmtrap_code_t site_code);
/* The same, with `site_count` sites. */
uint64_t host_register_code_with_sites(const wasm_code_t *code, const wasmtrap_site_t *sites, size_t site_count,
                                       uint32_t flags);
/* Any instruction, but strict: memory faults count in registered regions only. */
uint64_t host_register_strict_code(const wasm_code_t *code);
uint64_t host_register_region(const void *base, size_t length, wasmtrap_code_t code);
wasmtrap_trap_t host_new_trap(void);
/* wasmtrap_call into `code`. `trap` is set up here. */
wasmtrap_status_t host_call(const wasm_code_t *code, void *argument, wasmtrap_trap_t *trap);
/* wasm_load of an address, under protection. */
wasmtrap_status_t host_load(const wasm_code_t *load, const void *address, wasmtrap_trap_t *trap);

/* One check: the call trapped with that code, as a status and as a trap record. */
int trapped_with(wasmtrap_status_t status, const wasmtrap_trap_t *trap, wasmtrap_code_t code, const char *name);
/* A check of how a trap record, or what a fault handler sees, says that the fault was reported: by this signal with this
 * code or, with Mach exception ports, by the exception that the signal stands for. XNU's signal codes say little, and a
 * memory fault can be either of two signals there. */
#define reported_by(signal_, code, seen)                                                                      \
  ok(host_was_reported_by(signal_, code, (seen).signal, (seen).signal_code, (seen).exception),                \
     "reported as signal %d, code %d, exception %d", (int)(seen).signal, (int)(seen).signal_code,             \
     (int)(seen).exception)
/* Any code that says that the kernel made the signal. */
enum { ANY_SIGNAL_CODE = -1000 };
int host_was_reported_by(int signal, int code, int seen_signal, int seen_code, int seen_exception);
/* What a trap record can say of an access: `access`, or unknown where the kernel does not tell (an emulator for
 * arm64). */
wasmtrap_access_t if_told(wasmtrap_access_t access);
/* Whether a load of memory that must not be touched is an out-of-bounds trap, with code registered for the occasion. */
int library_traps(void);
/* The text of wasmtrap_describe. It belongs to the caller. */
char *described(void);

#ifdef __cplusplus
}
#endif

#endif
