/* WebAssembly calls the host, which calls WebAssembly, which traps: the host gets the trap, and may go on, and so may
 * the WebAssembly that called it. A trap that the host raises itself ends the WebAssembly that called it. */
#include "caller.h"
#include "wasm_host.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_caller;

WASM_FUNCTION(caller, call_out)
WASM_FUNCTION(caller, load)
WASM_INSTANTIATE(caller, (instance, NULL))

enum { LOAD_OUT_OF_BOUNDS, RAISE_AFTER_THAT, CALL_OUT_AGAIN, REFUSED = WASMTRAP_CODE_USER + 7 };

static w2c_caller instance;
static int depth;

void w2c_host_enter(struct w2c_host *host, u32 what) {
  (void)host;
  wasmtrap_trap_t trap;
  if (what == CALL_OUT_AGAIN && ++depth < 50) {
    same(wasm_host_call(call_out_of_caller, &instance, what, NULL, &trap), WASMTRAP_OK, "call %d is good", depth);
    return;
  }
  trapped_in(wasm_host_call(load_of_caller, &instance, 70000, NULL, &trap), &trap, w2c_caller_memory(&instance), 70000,
             "the inner call");
  if (what == RAISE_AFTER_THAT) wasmtrap_raise(REFUSED, 99);
}

int main(void) {
  wasmtrap_trap_t trap;
  uint32_t times = 0;
  wasm_host_set_up();
  wasm_host_add(&wasm_module_caller);
  wasm_host_result(instantiate_caller, &instance, 0);

  same(wasm_host_call(call_out_of_caller, &instance, LOAD_OUT_OF_BOUNDS, &times, &trap), WASMTRAP_OK, "the outer call");
  same(times, 1, "it went on after its host was back");

  trapped_with(wasm_host_call(call_out_of_caller, &instance, RAISE_AFTER_THAT, NULL, &trap), &trap, REFUSED,
               "a trap that the host raises");
  same(trap.payload, 99, "with the host's payload");
  same(wasm_host_result(load_of_caller, &instance, 0), 1, "it did not go on then");

  same(wasm_host_call(call_out_of_caller, &instance, CALL_OUT_AGAIN, &times, &trap), WASMTRAP_OK, "fifty calls deep");
  same(times, 51, "all of them went on");
  wasm2c_caller_free(&instance);
  return tap_done();
}
