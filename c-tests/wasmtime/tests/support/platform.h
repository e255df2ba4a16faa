/*
 * Wasmtime's platform, as its wasmtime-platform.h declares it, and the smallest engine on top: machine code that
 * faults, made executable by the platform's own functions. For programs that have no Wasmtime in them.
 */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WASMTIME_PROT_READ 1u
#define WASMTIME_PROT_WRITE 2u
#define WASMTIME_PROT_EXEC 4u

typedef void (*wasmtime_trap_handler_t)(uintptr_t ip, uintptr_t fp, bool has_faulting_addr, uintptr_t faulting_addr);
struct wasmtime_memory_image;

int wasmtime_init_traps(wasmtime_trap_handler_t handler);
uint8_t *wasmtime_tls_get(size_t slot);
void wasmtime_tls_set(size_t slot, uint8_t *value);
int wasmtime_mmap_new(uintptr_t size, uint32_t protection, uint8_t **result);
int wasmtime_mmap_remap(uint8_t *address, uintptr_t size, uint32_t protection);
int wasmtime_munmap(uint8_t *address, uintptr_t size);
int wasmtime_mprotect(uint8_t *address, uintptr_t size, uint32_t protection);
uintptr_t wasmtime_page_size(void);
int wasmtime_memory_image_new(const uint8_t *bytes, uintptr_t length, struct wasmtime_memory_image **image);
int wasmtime_memory_image_map_at(struct wasmtime_memory_image *image, uint8_t *address, uintptr_t length);
void wasmtime_memory_image_free(struct wasmtime_memory_image *image);
void wasmtime_sync_lock_free(uintptr_t *lock);
void wasmtime_sync_lock_acquire(uintptr_t *lock);
void wasmtime_sync_lock_release(uintptr_t *lock);
void wasmtime_sync_rwlock_read(uintptr_t *lock);
void wasmtime_sync_rwlock_read_release(uintptr_t *lock);
void wasmtime_sync_rwlock_write(uintptr_t *lock);
void wasmtime_sync_rwlock_write_release(uintptr_t *lock);
void wasmtime_sync_rwlock_free(uintptr_t *lock);

/* Code of one page: load(p) reads an int at p; stop(p) is what `unreachable` becomes. */
typedef int (*code_t)(const volatile void *argument);
typedef struct engine_t {
  uint8_t *page;
  code_t load, stop;
} engine_t;

/* Writes the code into fresh memory and makes it executable, by the platform. */
engine_t new_code(void);
/* What Wasmtime's thread-local says while Wasm runs, and otherwise. */
void enter_wasm(void);
void leave_wasm(void);

/* Calls the function as Wasmtime calls Wasm: 0 if it returned, 1 if `jump_out` has taken its fault. */
int run_wasm(code_t function, const volatile void *argument);
/* A handler that takes every fault: it jumps back into run_wasm, with no more ado than a jump of Wasmtime's. */
void jump_out(uintptr_t ip, uintptr_t fp, bool has_faulting_addr, uintptr_t faulting_addr);
/* What the handler was told last. */
extern uintptr_t told_ip, told_fp, told_address;
extern bool told_has_address;
extern int times_told;

/* Whether this process can read, or write, the byte. */
int readable(const void *address);
int writable(void *address);

#endif
