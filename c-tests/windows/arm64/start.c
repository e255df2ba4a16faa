/* What a DLL and a program for Windows on arm64 begin with, in place of mingw-w64's start-up code: the directory of
 * thread-local storage, by which the loader finds the callbacks of an image (.CRT$XLB and the like), and the functions
 * that the loader calls first. No constructors: neither the library nor the programs here have any. */
#include <stdarg.h>
#include <stdio.h>
#include <windows.h>

int main(void);
BOOL WINAPI DllMainCRTStartup(HINSTANCE image, DWORD reason, void *reserved);
void mainCRTStartup(void);

/* The linker puts the sections in the order of their names. */
__attribute__((section(".tls"), used)) static char tls_start = 0;
__attribute__((section(".tls$ZZZ"), used)) static char tls_end = 0;
__attribute__((section(".CRT$XLA"), used)) static PIMAGE_TLS_CALLBACK callbacks_start = NULL;
__attribute__((section(".CRT$XLZ"), used)) static PIMAGE_TLS_CALLBACK callbacks_end = NULL;
ULONG _tls_index;
const IMAGE_TLS_DIRECTORY64 _tls_used = {
    (ULONGLONG)&tls_start, (ULONGLONG)&tls_end, (ULONGLONG)&_tls_index, (ULONGLONG)(&callbacks_start + 1), 0, 0};

BOOL WINAPI DllMainCRTStartup(HINSTANCE image, DWORD reason, void *reserved) {
  (void)image, (void)reason, (void)reserved;
  return TRUE;
}

#ifdef PROGRAM
/* What the C library's DLL (UCRT) leaves to the static part of each compiler's. */
int printf(const char *format, ...) {
  va_list arguments;
  int written;
  va_start(arguments, format);
  written = __stdio_common_vfprintf(0, stdout, format, NULL, arguments);
  va_end(arguments);
  return written;
}

int fprintf(FILE *file, const char *format, ...) {
  va_list arguments;
  int written;
  va_start(arguments, format);
  written = __stdio_common_vfprintf(0, file, format, NULL, arguments);
  va_end(arguments);
  return written;
}

void mainCRTStartup(void) {
  const int status = main();
  fflush(NULL);
  ExitProcess((UINT)status);
}
#endif
