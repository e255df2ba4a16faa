/* A crash reporter that writes a minidump from the filter for unhandled exceptions, as most do on Windows: a crash
 * inside of a protected call, beside traps of which none comes to it, is in the minidump with its code, its address and
 * its registers. */
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <dbghelp.h>

#include "host.h"

static const char *dump_name;
static BOOL(WINAPI *write_dump)(HANDLE, DWORD, HANDLE, MINIDUMP_TYPE, MINIDUMP_EXCEPTION_INFORMATION *, void *, void *);
static int trapped;

static LONG WINAPI report(EXCEPTION_POINTERS *exception) {
  const HANDLE file = CreateFileA(dump_name, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
  MINIDUMP_EXCEPTION_INFORMATION information = {GetCurrentThreadId(), exception, FALSE};
  const BOOL written =
      write_dump(GetCurrentProcess(), GetCurrentProcessId(), file, MiniDumpNormal, &information, NULL, NULL);
  CloseHandle(file);
  TerminateProcess(GetCurrentProcess(), trapped && written ? 42 : 43);
  return EXCEPTION_CONTINUE_SEARCH;
}

static void crash(void *page) { wasm_load_in_leaf.function(&(wasm_access_t){address_of(page), 0}); }

static void run_child(void) {
  write_dump = (BOOL(WINAPI *)(HANDLE, DWORD, HANDLE, MINIDUMP_TYPE, MINIDUMP_EXCEPTION_INFORMATION *, void *, void *))(
      void (*)(void))GetProcAddress(LoadLibraryA("dbghelp.dll"), "MiniDumpWriteDump");
  must(write_dump != NULL);
  SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
  SetUnhandledExceptionFilter(report);
  host_init();
  trapped = library_traps();
  (void)wasmtrap_call(crash, inaccessible_page(), NULL);
}

static unsigned char dump[1 << 22];

static const MINIDUMP_EXCEPTION_STREAM *exception_of_the_dump(size_t size) {
  const MINIDUMP_HEADER *const header = (const void *)dump;
  must(size > sizeof *header && memcmp(dump, "MDMP", 4) == 0);
  const MINIDUMP_DIRECTORY *const directory = (const void *)(dump + header->StreamDirectoryRva);
  for (ULONG32 i = 0; i < header->NumberOfStreams; i++) {
    if (directory[i].StreamType == ExceptionStream) return (const void *)(dump + directory[i].Location.Rva);
  }
  return NULL;
}

int main(int count, char **arguments) {
  if (count > 1) {
    dump_name = arguments[1];
    run_child();
    return 44;
  }
  char folder[MAX_PATH], name[MAX_PATH], line[3 * MAX_PATH];
  must(GetTempPathA(sizeof folder, folder) != 0 && GetTempFileNameA(folder, "trap", 0, name) != 0);
  dump_name = name;
  snprintf(line, sizeof line, "\"%s\" \"%s\"", arguments[0], name);
  STARTUPINFOA startup = {.cb = sizeof startup};
  PROCESS_INFORMATION child;
  must(CreateProcessA(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &child));
  DWORD code = 0;
  must(WaitForSingleObject(child.hProcess, INFINITE) == WAIT_OBJECT_0 && GetExitCodeProcess(child.hProcess, &code));
  same(code, 42, "the reporter hears of the crash and of no trap");
  FILE *const file = fopen(dump_name, "rb");
  must(file != NULL);
  const size_t size = fread(dump, 1, sizeof dump, file);
  fclose(file);
  DeleteFileA(dump_name);
  const MINIDUMP_EXCEPTION_STREAM *const stream = exception_of_the_dump(size);
  must(stream != NULL);
  const size_t pc = address_of(wasm_load_in_leaf.start) + wasm_load_in_leaf.fault;
  same(stream->ExceptionRecord.ExceptionCode, (ULONG32)EXCEPTION_ACCESS_VIOLATION, "its code");
  same(stream->ExceptionRecord.ExceptionAddress, pc, "its place");
  const CONTEXT *const context = (const void *)(dump + stream->ThreadContext.Rva);
  same(context->Rip, pc, "its registers");
  same(stream->ThreadId, child.dwThreadId, "its thread");
  return tap_done();
}
