/*
 * scarce_memory.h for Windows: what the library imports to get memory by is replaced by functions of this file.
 * Vectored handlers are of the system's heap.
 */
#include "scarce_memory.h"

#include <malloc.h>
#include <windows.h>

#include "imports.h"

/* -1: all succeed; else how many succeed before one fails. */
static __thread int left = -1;
static __thread int failed;

static int fails(void) {
  if (left < 0 || left-- > 0) return 0;
  failed = 1;
  SetLastError(ERROR_NOT_ENOUGH_MEMORY);
  return 1;
}

static void *(*real_aligned_malloc)(size_t size, size_t alignment);
static void *(WINAPI *real_virtual_alloc)(void *address, size_t size, DWORD type, DWORD protection);
static void *(WINAPI *real_add_handler)(ULONG first, PVECTORED_EXCEPTION_HANDLER handler);
static void *(WINAPI *real_add_continue_handler)(ULONG first, PVECTORED_EXCEPTION_HANDLER handler);

static void *scarce_aligned_malloc(size_t size, size_t alignment) {
  return fails() ? NULL : real_aligned_malloc(size, alignment);
}

static void *WINAPI scarce_virtual_alloc(void *address, size_t size, DWORD type, DWORD protection) {
  return fails() ? NULL : real_virtual_alloc(address, size, type, protection);
}

static void *WINAPI scarce_add_handler(ULONG first, PVECTORED_EXCEPTION_HANDLER handler) {
  return fails() ? NULL : real_add_handler(first, handler);
}

static void *WINAPI scarce_add_continue_handler(ULONG first, PVECTORED_EXCEPTION_HANDLER handler) {
  return fails() ? NULL : real_add_continue_handler(first, handler);
}

static void replace_all(void) {
  replace_import("_aligned_malloc", (void (*)(void))scarce_aligned_malloc, (void (**)(void))&real_aligned_malloc);
  replace_import("VirtualAlloc", (void (*)(void))scarce_virtual_alloc, (void (**)(void))&real_virtual_alloc);
  replace_import("AddVectoredExceptionHandler", (void (*)(void))scarce_add_handler,
                 (void (**)(void))&real_add_handler);
  replace_import("AddVectoredContinueHandler", (void (*)(void))scarce_add_continue_handler,
                 (void (**)(void))&real_add_continue_handler);
}

void memory_fails_after(int spared) {
  if (real_virtual_alloc == NULL) replace_all();
  failed = 0;
  left = spared;
}

int memory_is_enough(void) {
  left = -1;
  return failed;
}
