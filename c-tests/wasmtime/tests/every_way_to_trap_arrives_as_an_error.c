/* Every way in which WebAssembly can trap arrives as an error with Wasmtime's own words and a backtrace, whether
 * compiled code faults, calls the library, or Wasmtime's own library calls find out; and the instance goes on. */
#include <stdlib.h>

#include "hosting.h"

typedef struct expected_t {
  const char *function;
  uint32_t code;
  const char *reason;
} expected_t;

static const expected_t EXPECTED[] = {
    {"reach_the_unreachable", WASMTRAP_CODE_UNREACHABLE, "wasm trap: wasm `unreachable` instruction executed"},
    {"load_past_the_end", WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "wasm trap: out of bounds memory access"},
    {"load_across_the_end", WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "wasm trap: out of bounds memory access"},
    {"load_with_a_high_offset", WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "wasm trap: out of bounds memory access"},
    {"load_from_minus_one", WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "wasm trap: out of bounds memory access"},
    {"store_past_the_end", WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "wasm trap: out of bounds memory access"},
    {"store_at_the_very_end", WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "wasm trap: out of bounds memory access"},
    {"store_past_by_offset", WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "wasm trap: out of bounds memory access"},
    {"fill_past_the_end", WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "wasm trap: out of bounds memory access"},
    {"copy_past_the_end", WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "wasm trap: out of bounds memory access"},
    {"init_past_the_data", WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "wasm trap: out of bounds memory access"},
    {"call_past_the_table", WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS,
     "wasm trap: undefined element: out of bounds table access"},
    {"call_an_empty_element", WASMTRAP_CODE_INDIRECT_CALL_TO_NULL, "wasm trap: uninitialized element"},
    {"call_with_a_wrong_type", WASMTRAP_CODE_BAD_SIGNATURE, "wasm trap: indirect call type mismatch"},
    {"get_past_the_table", WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS,
     "wasm trap: undefined element: out of bounds table access"},
    {"set_past_the_table", WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS,
     "wasm trap: undefined element: out of bounds table access"},
    {"fill_past_the_table", WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS,
     "wasm trap: undefined element: out of bounds table access"},
    {"copy_past_the_table", WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS,
     "wasm trap: undefined element: out of bounds table access"},
    {"init_past_the_elements", WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS,
     "wasm trap: undefined element: out of bounds table access"},
    {"divide_by_zero", WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO, "wasm trap: integer divide by zero"},
    {"remainder_by_zero", WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO, "wasm trap: integer divide by zero"},
    {"divide_min_by_minus_one", WASMTRAP_CODE_INTEGER_OVERFLOW, "wasm trap: integer overflow"},
    {"convert_too_large", WASMTRAP_CODE_INTEGER_OVERFLOW, "wasm trap: integer overflow"},
    {"convert_nan", WASMTRAP_CODE_BAD_CONVERSION_TO_INTEGER, "wasm trap: invalid conversion to integer"},
    {"recurse_for_ever", WASMTRAP_CODE_STACK_OVERFLOW, "wasm trap: call stack exhausted"},
};

int main(void) {
  wasmtime_host_engine_t *engine = new_engine();
  wasmtime_host_instance_t *instance = instantiate(engine, "traps.module");
  int32_t steps = 0;
  for (size_t i = 0; i < sizeof EXPECTED / sizeof *EXPECTED; i++) {
    wasmtime_host_error_t *error = call_action(instance, EXPECTED[i].function);
    wasmtime_host_frame_t frame = {0};
    /* Some are folded into their caller by the compiler; the backtrace is the module's all the same. */
    ok(wasmtime_host_error_frame_count(error) >= 1, "%s has a backtrace", EXPECTED[i].function);
    ok(wasmtime_host_error_frame(error, 0, &frame) && frame.function_name != NULL, "its first frame has a name");
    traps(error, EXPECTED[i].code, EXPECTED[i].reason, EXPECTED[i].function);
    same(call_number(instance, "go_on", NULL), ++steps, "and the instance goes on");
  }
  fails(call_action(instance, "ask_for_a_refusal"), WASMTIME_HOST_FUNCTION, "the host refuses", "a host's refusal");
#ifndef NO_EXCEPTIONS
  fails(call_action(instance, "throw_without_a_catch"), WASMTIME_HOST_EXCEPTION, "", "an uncaught exception");
#endif
  same(call_number(instance, "go_on", NULL), ++steps, "and the instance goes on");
  wasmtime_host_instance_free(instance);
  wasmtime_host_engine_free(engine);
  return tap_done();
}
