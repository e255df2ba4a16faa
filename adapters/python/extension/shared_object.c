#include "shared_object.h"

#include <string.h>
#if defined(_WIN32)
#include <errno.h>
#include <stdlib.h>
#include <windows.h>
#else
#include <dlfcn.h>
#endif

#if defined(_WIN32)
/* Memory of the caller's, in one block; NULL without memory, or if it is no UTF-8. */
static wchar_t *wide(const char *path) {
  const int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, NULL, 0);
  wchar_t *text = length > 0 ? calloc((size_t)length, sizeof *text) : NULL;
  if (text != NULL) MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, text, length);
  return text;
}

static void explain(const char *path, char *why, size_t why_size) {
  const DWORD error = GetLastError();
  char text[256];
  const DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
  if (FormatMessageA(flags, NULL, error, 0, text, sizeof text, NULL) == 0) text[0] = 0;
  text[strcspn(text, "\r\n")] = 0;
  snprintf(why, why_size, "cannot load '%s': error %lu: %s", path, error, text);
}

/* By its whole path, as the search for what it is linked with begins in its own folder then. */
void *shared_object_open(const char *path, char *why, size_t why_size) {
  enum { LONGEST_PATH = 32767 };
  void *handle = NULL;
  wchar_t *text = wide(path), *whole = calloc(LONGEST_PATH, sizeof *whole);
  if (text == NULL || whole == NULL) {
    SetLastError(ERROR_NOT_ENOUGH_MEMORY);
  } else if (GetFullPathNameW(text, LONGEST_PATH, whole, NULL) != 0) {
    handle = LoadLibraryExW(whole, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
  }
  if (handle == NULL) explain(path, why, why_size);
  free(text);
  free(whole);
  return handle;
}

static void *symbol_of(HMODULE handle, const char *name) {
  const FARPROC found = GetProcAddress(handle, name);
  void *symbol;
  memcpy(&symbol, &found, sizeof symbol);
  return symbol;
}

void *shared_object_symbol(void *handle, const char *name) { return symbol_of(handle, name); }

void shared_object_close(void *handle) { FreeLibrary(handle); }

FILE *shared_object_file(const char *path) {
  wchar_t *text = wide(path);
  FILE *const file = text != NULL ? _wfopen(text, L"rb") : NULL;
  const int error = text != NULL ? errno : ENOENT;
  free(text);
  errno = error;
  return file;
}

/* The DLL of the limited API, which each version has, with what that version has of it. */
void *shared_object_of_python(const char *name) {
  const HMODULE python = GetModuleHandleA("python3.dll");
  return python != NULL ? symbol_of(python, name) : NULL;
}
#else
void *shared_object_open(const char *path, char *why, size_t why_size) {
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) snprintf(why, why_size, "%s", dlerror());
  return handle;
}

void *shared_object_symbol(void *handle, const char *name) { return dlsym(handle, name); }

void shared_object_close(void *handle) { dlclose(handle); }

FILE *shared_object_file(const char *path) { return fopen(path, "rb"); }

void *shared_object_of_python(const char *name) { return dlsym(RTLD_DEFAULT, name); }
#endif
