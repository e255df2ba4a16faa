/*
 * scarce_memory.h for Windows: what the library imports to get memory by is replaced by functions of this file, in the
 * table of imports of the DLL, or of the program where the library is a part of it. Vectored handlers are of the
 * system's heap.
 */
#include "scarce_memory.h"

#include <malloc.h>
#include <string.h>
#include <windows.h>

#include "tap.h"

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

/* ISO C has no conversion from functions to data; Windows promises the same representation. */
#define REPLACEMENT(name, function, real) {name, (void *)(ULONG_PTR)function, (void **)(void *)&real, 0}
static struct replacement_t {
  const char *name;
  void *function;
  void **real;
  int done;
} replacements[] = {
    REPLACEMENT("_aligned_malloc", scarce_aligned_malloc, real_aligned_malloc),
    REPLACEMENT("VirtualAlloc", scarce_virtual_alloc, real_virtual_alloc),
    REPLACEMENT("AddVectoredExceptionHandler", scarce_add_handler, real_add_handler),
    REPLACEMENT("AddVectoredContinueHandler", scarce_add_continue_handler, real_add_continue_handler),
};
enum { REPLACEMENTS = sizeof replacements / sizeof *replacements };

static void replace(void **place, const char *name) {
  for (size_t i = 0; i < REPLACEMENTS; i++) {
    struct replacement_t *const replacement = &replacements[i];
    if (strcmp(name, replacement->name) != 0) continue;
    DWORD before;
    must(VirtualProtect(place, sizeof *place, PAGE_READWRITE, &before) != 0);
    *replacement->real = *place;
    *place = replacement->function;
    must(VirtualProtect(place, sizeof *place, before, &before) != 0);
    replacement->done = 1;
  }
}

/* The imports of an image: a list of DLLs, for each of which there are names, and the places of their addresses. */
static void replace_imports(unsigned char *image) {
  const IMAGE_DOS_HEADER *const dos = (const IMAGE_DOS_HEADER *)image;
  const IMAGE_NT_HEADERS64 *const headers = (const IMAGE_NT_HEADERS64 *)(image + dos->e_lfanew);
  const IMAGE_DATA_DIRECTORY directory = headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
  const IMAGE_IMPORT_DESCRIPTOR *dll = (const IMAGE_IMPORT_DESCRIPTOR *)(image + directory.VirtualAddress);
  for (; dll->Name != 0; dll++) {
    const ULONGLONG *names = (const ULONGLONG *)(image + dll->OriginalFirstThunk);
    void **places = (void **)(image + dll->FirstThunk);
    for (; *names != 0; names++, places++) {
      if ((*names & IMAGE_ORDINAL_FLAG64) != 0) continue;
      replace(places, (const char *)((const IMAGE_IMPORT_BY_NAME *)(image + *names))->Name);
    }
  }
}

static void replace_all(void) {
  const HMODULE library = GetModuleHandleA("wasmtrap.dll");
  replace_imports((unsigned char *)(library != NULL ? library : GetModuleHandleA(NULL)));
  for (size_t i = 0; i < REPLACEMENTS; i++) must(replacements[i].done);
}

void memory_fails_after(int spared) {
  if (!replacements[0].done) replace_all();
  failed = 0;
  left = spared;
}

int memory_is_enough(void) {
  left = -1;
  return failed;
}
