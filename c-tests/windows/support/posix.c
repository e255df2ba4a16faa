/* The few functions of POSIX that the harness needs, by those of Windows. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <windows.h>

static DWORD protection_of(int protection) {
  switch (protection) {
    case PROT_NONE:
      return PAGE_NOACCESS;
    case PROT_READ:
      return PAGE_READONLY;
    case PROT_READ | PROT_EXEC:
      return PAGE_EXECUTE_READ;
    case PROT_READ | PROT_WRITE | PROT_EXEC:
      return PAGE_EXECUTE_READWRITE;
    default:
      return PAGE_READWRITE;
  }
}

void *mmap(void *address, size_t length, int protection, int flags, int file, long long offset) {
  (void)file;
  (void)offset;
  void *const memory = VirtualAlloc((flags & MAP_FIXED) != 0 ? address : NULL, length, MEM_RESERVE | MEM_COMMIT,
                                    protection_of(protection));
  return memory != NULL ? memory : MAP_FAILED;
}

int mprotect(void *address, size_t length, int protection) {
  DWORD before;
  return VirtualProtect(address, length, protection_of(protection), &before) != 0 ? 0 : -1;
}

int munmap(void *address, size_t length) {
  (void)length;
  return VirtualFree(address, 0, MEM_RELEASE) != 0 ? 0 : -1;
}

static DWORD WINAPI ring(void *milliseconds) {
  Sleep((DWORD)(uintptr_t)milliseconds);
  static const char late[] = "# the time is over\n";
  if (write(STDOUT_FILENO, late, sizeof late - 1) < 0) _exit(253);
  _exit(252);
}

unsigned alarm(unsigned seconds) {
  const HANDLE thread = CreateThread(NULL, 0, ring, (void *)(uintptr_t)(1000 * seconds), 0, NULL);
  if (thread == NULL) _exit(251);
  CloseHandle(thread);
  return 0;
}

int setenv(const char *name, const char *value, int overwrite) {
  if (!overwrite && getenv(name) != NULL) return 0;
  /* An empty value takes the variable away; a program that sets one has nothing else to do here. */
  return _putenv_s(name, value);
}

int unsetenv(const char *name) { return _putenv_s(name, ""); }

const char *strsignal(int signal) {
  switch (signal) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGILL: return "SIGILL";
    case SIGFPE: return "SIGFPE";
    case SIGTRAP: return "SIGTRAP";
    default: return "a signal";
  }
}
