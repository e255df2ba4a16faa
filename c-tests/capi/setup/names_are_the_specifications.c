/* Names of codes, statuses and accesses: the specification's words for traps, the header's own names for statuses,
 * never NULL, and usable before wasmtrap_init. */
#include <stdio.h>

#include "host.h"

static const struct {
  wasmtrap_code_t code;
  const char *name;
} codes[] = {
    {WASMTRAP_CODE_STACK_OVERFLOW, "call stack exhausted"},
    {WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "out of bounds memory access"},
    {WASMTRAP_CODE_HEAP_MISALIGNED, "unaligned atomic"},
    {WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS, "out of bounds table access"},
    {WASMTRAP_CODE_INDIRECT_CALL_TO_NULL, "uninitialized element"},
    {WASMTRAP_CODE_BAD_SIGNATURE, "indirect call type mismatch"},
    {WASMTRAP_CODE_INTEGER_OVERFLOW, "integer overflow"},
    {WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO, "integer divide by zero"},
    {WASMTRAP_CODE_BAD_CONVERSION_TO_INTEGER, "invalid conversion to integer"},
    {WASMTRAP_CODE_UNREACHABLE, "unreachable"},
    {WASMTRAP_CODE_INTERRUPT, "interrupt"},
    {WASMTRAP_CODE_UNDEFINED_ELEMENT, "undefined element"},
    {WASMTRAP_CODE_NULL_REFERENCE, "null reference"},
    {WASMTRAP_CODE_ARRAY_OUT_OF_BOUNDS, "out of bounds array access"},
    {WASMTRAP_CODE_ALLOCATION_TOO_LARGE, "allocation size too large"},
    {WASMTRAP_CODE_CAST_FAILURE, "cast failure"},
    {WASMTRAP_CODE_EXPECTED_SHARED_MEMORY, "expected shared memory"},
    {WASMTRAP_CODE_UNCAUGHT_EXCEPTION, "unhandled exception"},
    {WASMTRAP_CODE_OUT_OF_FUEL, "all fuel consumed"},
    {WASMTRAP_CODE_UNHANDLED_TAG, "unhandled tag"},
    {WASMTRAP_CODE_CONTINUATION_ALREADY_CONSUMED, "continuation already consumed"},
    {WASMTRAP_CODE_USER, "user trap"},
    {WASMTRAP_CODE_USER + 1, "user trap"},
    {UINT32_MAX, "user trap"},
    {WASMTRAP_CODE_USER - 1, "unknown trap"},
    {WASMTRAP_CODE_CONTINUATION_ALREADY_CONSUMED + 1, "unknown trap"},
    {WASMTRAP_CODE_NONE, "unknown trap"},
};

#define STATUS(name) {name, #name}
static const struct {
  wasmtrap_status_t status;
  const char *name;
} statuses[] = {
    STATUS(WASMTRAP_OK),
    STATUS(WASMTRAP_TRAPPED),
    STATUS(WASMTRAP_ERR_INVALID_ARGUMENT),
    STATUS(WASMTRAP_ERR_STRUCT_SIZE),
    STATUS(WASMTRAP_ERR_NOT_INITIALIZED),
    STATUS(WASMTRAP_ERR_CONFLICT),
    STATUS(WASMTRAP_ERR_UNSUPPORTED),
    STATUS(WASMTRAP_ERR_NO_MEMORY),
    STATUS(WASMTRAP_ERR_OVERLAP),
    STATUS(WASMTRAP_ERR_UNKNOWN_ID),
    STATUS(WASMTRAP_ERR_BUSY),
    STATUS(WASMTRAP_ERR_WRONG_THREAD),
    STATUS(WASMTRAP_ERR_LIMIT),
    STATUS(WASMTRAP_ERR_SYSTEM),
    STATUS(WASMTRAP_ERR_NOT_FOUND),
    {2, "unknown status"},
    {WASMTRAP_ERR_NOT_FOUND - 1, "unknown status"},
    {INT32_MIN, "unknown status"},
    {INT32_MAX, "unknown status"},
};

static const struct {
  wasmtrap_access_t access;
  const char *name;
} accesses[] = {
    {WASMTRAP_ACCESS_UNKNOWN, "unknown"}, {WASMTRAP_ACCESS_READ, "read"}, {WASMTRAP_ACCESS_WRITE, "write"},
    {WASMTRAP_ACCESS_EXECUTE, "execute"}, {4, "unknown"},                 {UINT32_MAX, "unknown"},
};

int main(void) {
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    same_text(wasmtrap_code_name(codes[i].code), codes[i].name, "trap code %u", codes[i].code);
  }
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
    same_text(wasmtrap_status_name(statuses[i].status), statuses[i].name, "status %d", statuses[i].status);
  }
  for (size_t i = 0; i < sizeof accesses / sizeof *accesses; i++) {
    same_text(wasmtrap_access_name(accesses[i].access), accesses[i].name, "access %u", accesses[i].access);
  }
  char version[64] = "";
  snprintf(version, sizeof version, "%d.%d.%d", WASMTRAP_VERSION_MAJOR, WASMTRAP_VERSION_MINOR,
           WASMTRAP_VERSION_PATCH);
  same_text(wasmtrap_version(), version, "version");
  same_text(wasmtrap_last_error(), "", "no call has failed yet");
  return tap_done();
}
