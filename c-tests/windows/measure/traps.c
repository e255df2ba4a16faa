/*
 * What a trap costs beside a bare vectored handler that does the same: has the thread go on where a jump leads out of
 * the guest. In turns, in one process. Each way has its handler in front of all others while its turn lasts.
 */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "host.h"

enum { ROUNDS = 15, TRAPS = 4000 };

static jmp_buf guest;

static void leave(void) { longjmp(guest, 1); }

static LONG CALLBACK bare(EXCEPTION_POINTERS *exception) {
  CONTEXT *const context = exception->ContextRecord;
  if (exception->ExceptionRecord->ExceptionCode != EXCEPTION_ACCESS_VIOLATION ||
      context->Rip - address_of(wasm_load.start) >= wasm_load.length) {
    return EXCEPTION_CONTINUE_SEARCH;
  }
  context->Rip = (DWORD64)(uintptr_t)leave;
  context->Rsp = (context->Rsp & ~(DWORD64)15) - 8;
  return EXCEPTION_CONTINUE_EXECUTION;
}

static wasm_access_t access;

static void trap_bare(void) {
  /* Without a frame to unwind to. */
  if (_setjmp(guest, NULL) == 0) wasm_load.function(&access);
}

static void trap_in_the_library(void) {
  wasmtrap_trap_t trap;
  must(host_call(&wasm_load, &access, &trap) == WASMTRAP_TRAPPED);
}

static void nothing(void *unused) { (void)unused; }

static void call_and_return(void) { must(wasmtrap_call(nothing, NULL, NULL) == WASMTRAP_OK); }

static double nanoseconds(void (*once)(void)) {
  LARGE_INTEGER frequency, begin, end;
  must(QueryPerformanceFrequency(&frequency) != 0 && QueryPerformanceCounter(&begin) != 0);
  for (int i = 0; i < TRAPS; i++) once();
  must(QueryPerformanceCounter(&end) != 0);
  return (double)(end.QuadPart - begin.QuadPart) * 1e9 / (double)frequency.QuadPart / TRAPS;
}

static int ascending(const void *one, const void *other) {
  const double difference = *(const double *)one - *(const double *)other;
  return (difference > 0) - (difference < 0);
}

static double median(double *numbers) {
  qsort(numbers, ROUNDS, sizeof *numbers, ascending);
  return numbers[ROUNDS / 2];
}

int main(void) {
  static double by_bare[ROUNDS], by_library[ROUNDS], returning[ROUNDS], ratio[ROUNDS];
  access.address = address_of(inaccessible_page());
  host_init();
  host_register_code(&wasm_load);
  trap_in_the_library();
  for (int i = 0; i < ROUNDS; i++) {
    void *const handler = AddVectoredExceptionHandler(1, bare);
    must(handler != NULL);
    by_bare[i] = nanoseconds(trap_bare);
    must(RemoveVectoredExceptionHandler(handler) != 0);
    by_library[i] = nanoseconds(trap_in_the_library);
    returning[i] = nanoseconds(call_and_return);
    ratio[i] = by_library[i] / by_bare[i];
  }
  printf("medians of %d rounds of %d\n", ROUNDS, TRAPS);
  printf("a trap by a bare vectored handler   %8.0f ns\n", median(by_bare));
  printf("a trap by the library               %8.0f ns\n", median(by_library));
  printf("the second beside the first         %8.2f\n", median(ratio));
  printf("a protected call that returns       %8.1f ns\n", median(returning));
  return 0;
}
