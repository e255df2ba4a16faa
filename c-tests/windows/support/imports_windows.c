/*
 * The table of imports of the DLL, or of the program where the library is a part of it: a list of DLLs, for each of
 * which there are names, and the places of their addresses.
 */
#include <string.h>
#include <windows.h>

#include "imports.h"
#include "tap.h"

static int replace(unsigned char *image, const char *name, void (*function)(void), void (**real)(void)) {
  const IMAGE_DOS_HEADER *const dos = (const IMAGE_DOS_HEADER *)image;
  const IMAGE_NT_HEADERS64 *const headers = (const IMAGE_NT_HEADERS64 *)(image + dos->e_lfanew);
  const IMAGE_DATA_DIRECTORY directory = headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
  const IMAGE_IMPORT_DESCRIPTOR *dll = (const IMAGE_IMPORT_DESCRIPTOR *)(image + directory.VirtualAddress);
  int done = 0;
  for (; dll->Name != 0; dll++) {
    const ULONGLONG *names = (const ULONGLONG *)(image + dll->OriginalFirstThunk);
    void (**places)(void) = (void (**)(void))(image + dll->FirstThunk);
    for (; *names != 0; names++, places++) {
      if ((*names & IMAGE_ORDINAL_FLAG64) != 0) continue;
      if (strcmp((const char *)((const IMAGE_IMPORT_BY_NAME *)(image + *names))->Name, name) != 0) continue;
      DWORD before;
      must(VirtualProtect(places, sizeof *places, PAGE_READWRITE, &before) != 0);
      *real = *places;
      *places = function;
      must(VirtualProtect(places, sizeof *places, before, &before) != 0);
      done = 1;
    }
  }
  return done;
}

void replace_import(const char *name, void (*function)(void), void (**real)(void)) {
  const HMODULE library = GetModuleHandleA("wasmtrap.dll");
  must(replace((unsigned char *)(library != NULL ? library : GetModuleHandleA(NULL)), name, function, real));
}
