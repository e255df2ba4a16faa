/* The version resource of the DLL is that of the library, by the system's own functions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "tap.h"
#include "wasmtrap.h"

typedef DWORD(WINAPI *size_function_t)(const char *, DWORD *);
typedef BOOL(WINAPI *read_function_t)(const char *, DWORD, DWORD, void *);
typedef BOOL(WINAPI *query_function_t)(const void *, const char *, void **, UINT *);

/* A function of version.dll. */
static void load(const char *name, void *function) {
  const FARPROC address = GetProcAddress(LoadLibraryA("version.dll"), name);
  must(address != NULL);
  memcpy(function, &address, sizeof address);
}

int main(void) {
  const HMODULE dll = GetModuleHandleA("wasmtrap.dll");
  if (dll == NULL) return tap_skip_all("linked with the static library");
  size_function_t size;
  read_function_t read;
  query_function_t query;
  load("GetFileVersionInfoSizeA", &size);
  load("GetFileVersionInfoA", &read);
  load("VerQueryValueA", &query);
  char path[MAX_PATH];
  must(GetModuleFileNameA(dll, path, sizeof path) != 0);
  const DWORD length = size(path, NULL);
  if (!ok(length != 0, "there is a version resource")) return tap_done();
  void *const block = malloc(length);
  must(block != NULL && read(path, 0, length, block));
  void *value;
  UINT value_length;
  must(query(block, "\\", &value, &value_length) && value_length >= sizeof(VS_FIXEDFILEINFO));
  const VS_FIXEDFILEINFO *const fixed = value;
  char words[40];
  snprintf(words, sizeof words, "%lu.%lu.%lu", fixed->dwFileVersionMS >> 16, fixed->dwFileVersionMS & 0xffff,
           fixed->dwFileVersionLS >> 16);
  same_text(words, wasmtrap_version(), "the file's version is the library's");
  same(fixed->dwProductVersionMS, fixed->dwFileVersionMS, "the product's is the same");
  same(fixed->dwFileType, VFT_DLL, "it is a DLL");
  must(query(block, "\\StringFileInfo\\040904b0\\FileVersion", &value, &value_length));
  same_text(value, wasmtrap_version(), "and the words say so");
  must(query(block, "\\StringFileInfo\\040904b0\\ProductName", &value, &value_length));
  same_text(value, "libwasmtrap", "with the name");
  free(block);
  return tap_done();
}
