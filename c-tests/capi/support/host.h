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
/* The same with signals wherever it is, for what only signal handlers see. */
void host_init_with_signals(void);
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

/* How the kernel reports faults to a process that has Mach exception ports. Who runs the tests on such a system says it
 * by the environment variable EXCEPTION_PORTS. */
typedef enum exception_ports_t {
  /* Not set, elsewhere than on macOS: a system without Mach. */
  NO_MACH,
  /* "none": the process cannot have exception ports, or they would not be safe. */
  PORTS_REFUSED,
  /* "all": each fault that is an exception comes as one. */
  PORTS_GET_ALL,
  /* "most", and what is assumed on macOS: the kernel makes a signal of some all the same. */
  PORTS_GET_MOST
} exception_ports_t;
exception_ports_t exception_ports(void);
/* What wasmtrap_init takes where nobody asks for anything, in a process that was not forked without exec. */
wasmtrap_backend_t host_default_backend(void);
/* What is said of WASMTRAP_BACKEND_SIGNALS. */
#if defined(_WIN32)
#define HOST_SIGNALS_NAME "vectored exception handler"
#else
#define HOST_SIGNALS_NAME "signals"
#endif

/* One check of how a trap record says that the fault was reported: by this signal with this code and nothing else or,
 * with Mach exception ports, by the exception and the codes that the signal stands for and nothing else. */
#define reported_by(signal_, code, trap) host_reported_by(signal_, code, &(trap), __FILE__, __LINE__)
int host_reported_by(int signal, int code, const wasmtrap_trap_t *trap, const char *file, int line);
/* The same of what a fault handler sees, which has no codes of exceptions. */
#define handler_told_of(signal_, code, fault) host_handler_told_of(signal_, code, &(fault), __FILE__, __LINE__)
int host_handler_told_of(int signal, int code, const wasmtrap_fault_t *fault, const char *file, int line);
/* Any code that says that the kernel made the signal. */
enum { ANY_SIGNAL_CODE = -1000 };
/* What a record can say of an access: `access`, or unknown where the kernel does not tell: for exceptions (the record's
 * `exception`), which tell a failed fetch at most, and under an emulator for arm64. */
wasmtrap_access_t if_told(int exception, wasmtrap_access_t access);
/* Whether a load of memory that must not be touched is an out-of-bounds trap, with code registered for the occasion. */
int library_traps(void);
/* The text of wasmtrap_describe. It belongs to the caller. */
char *described(void);
/* How many threads are attached, as it says. */
unsigned long attached_threads(void);

#ifdef __cplusplus
}
#endif

#endif
