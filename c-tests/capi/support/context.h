/* The third argument of a signal handler, the interrupted registers, by name. Signal-safe. */
#ifndef CONTEXT_H
#define CONTEXT_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#if defined(_WIN32)
#include <windows.h>
#elif !defined(__APPLE__)
#include <ucontext.h>
#endif

#define CONTEXT_REGISTERS(context) (((ucontext_t *)(context))->uc_mcontext)
#if defined(_WIN32)
#define CONTEXT_PC(context) ((CONTEXT *)(context))->Rip
#define CONTEXT_SP(context) ((CONTEXT *)(context))->Rsp
#define CONTEXT_LOADED_FROM(context) ((CONTEXT *)(context))->Rax
#elif defined(__APPLE__) && defined(__x86_64__)
#define CONTEXT_PC(context) CONTEXT_REGISTERS(context)->__ss.__rip
#define CONTEXT_SP(context) CONTEXT_REGISTERS(context)->__ss.__rsp
#define CONTEXT_LOADED_FROM(context) CONTEXT_REGISTERS(context)->__ss.__rax
#elif defined(__APPLE__)
#define CONTEXT_PC(context) CONTEXT_REGISTERS(context)->__ss.__pc
#define CONTEXT_SP(context) CONTEXT_REGISTERS(context)->__ss.__sp
#define CONTEXT_LOADED_FROM(context) CONTEXT_REGISTERS(context)->__ss.__x[1]
#elif defined(__x86_64__)
#define CONTEXT_PC(context) CONTEXT_REGISTERS(context).gregs[REG_RIP]
#define CONTEXT_SP(context) CONTEXT_REGISTERS(context).gregs[REG_RSP]
#define CONTEXT_LOADED_FROM(context) CONTEXT_REGISTERS(context).gregs[REG_RAX]
#else
#define CONTEXT_PC(context) CONTEXT_REGISTERS(context).pc
#define CONTEXT_SP(context) CONTEXT_REGISTERS(context).sp
#define CONTEXT_LOADED_FROM(context) CONTEXT_REGISTERS(context).regs[1]
#endif

static inline size_t context_pc(const void *context) { return (size_t)CONTEXT_PC(context); }
static inline void context_set_pc(void *context, size_t pc) { CONTEXT_PC(context) = pc; }
static inline size_t context_sp(const void *context) { return (size_t)CONTEXT_SP(context); }
static inline void context_set_sp(void *context, size_t sp) { CONTEXT_SP(context) = sp; }
/* The register that wasm_load has its address in. */
static inline void context_load_from(void *context, const void *address) {
  CONTEXT_LOADED_FROM(context) = (uintptr_t)address;
}

#endif
