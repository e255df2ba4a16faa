/* The one function of bcryptprimitives.dll that Rust's standard library takes from there. Wine 8 has no such DLL. */
#include <windows.h>

#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *data, SIZE_T length) {
  return RtlGenRandom(data, (ULONG)length) != 0;
}
