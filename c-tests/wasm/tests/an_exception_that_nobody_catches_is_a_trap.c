/* Exceptions reach the handlers of their own call from the host, and are a trap where there is none. A trap leaves no
 * handler behind. */
#include "exceptions.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_exceptions;

WASM_ACTION(exceptions, throw)
WASM_FUNCTION(exceptions, catch)
WASM_FUNCTION(exceptions, catch_a_pair)
WASM_ACTION(exceptions, trap_inside_try)
WASM_INSTANTIATE(exceptions, (instance, NULL))

static void call_out_inside_try(void *argument) {
  wasm_call_t *call = argument;
  call->result = w2c_exceptions_call_out_inside_try(call->instance);
}

static w2c_exceptions instance;
static int throw_uncaught(const char *name) {
  wasmtrap_trap_t trap;
  return trapped_with(wasm_host_call(throw_of_exceptions, &instance, 5, NULL, &trap), &trap,
                      WASMTRAP_CODE_UNCAUGHT_EXCEPTION, name);
}

void w2c_host_enter(struct w2c_host *host) {
  (void)host;
  throw_uncaught("thrown in a call from a host that is called inside of a try block");
}

int main(void) {
  wasmtrap_trap_t trap;
  wasm_host_set_up();
  wasm_host_add(&wasm_module_exceptions);
  wasm_host_result(instantiate_exceptions, &instance, 0);

  throw_uncaught("thrown outside of all try blocks");
  same(wasm_host_result(catch_of_exceptions, &instance, 42), 42, "a handler gets the value");
  same(wasm_host_result(catch_a_pair_of_exceptions, &instance, 42), 42 - 7, "a handler gets two values");

  trapped_with(wasm_host_call(trap_inside_try_of_exceptions, &instance, 65536, NULL, &trap), &trap,
               WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "a trap is no exception");
  throw_uncaught("thrown after a trap inside of a try block");
  same(wasm_host_result(call_out_inside_try, &instance, 0), 0, "the outer handler got nothing");
  same(wasm_host_result(catch_of_exceptions, &instance, 43), 43, "and handlers work as before");
  wasm2c_exceptions_free(&instance);
  return tap_done();
}
