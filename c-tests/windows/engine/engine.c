/* An engine in a DLL, with a vectored handler of its own: it passes over three bytes where it is told to. */
#include <windows.h>

static volatile LONG calls;
static DWORD64 own;

static LONG CALLBACK handle(EXCEPTION_POINTERS *exception) {
  calls++;
  if (exception->ContextRecord->Rip != own) return EXCEPTION_CONTINUE_SEARCH;
  exception->ContextRecord->Rip += 3;
  return EXCEPTION_CONTINUE_EXECUTION;
}

__declspec(dllexport) void *engine_start(DWORD64 pc) {
  own = pc;
  return AddVectoredExceptionHandler(1, handle);
}

__declspec(dllexport) LONG engine_calls(void) { return calls; }
