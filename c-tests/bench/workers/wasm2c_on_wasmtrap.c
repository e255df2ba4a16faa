/*
 * The same module as in wasm2c.c, on the runtime of adapters/wasm2c: its traps are the library's.
 * wasm2c_on_wasmtrap_jump is the same where all clients let traps leave their handler by a jump.
 */
#include "wasm_rt_wasmtrap.h"

#include "bench.h"
#include "library.h"
#include "peer.h"
#include "worker.h"

extern const wasm_rt_wasmtrap_module_t wasm_module_bench;

int peer_call(void (*function)(void *), void *argument)
{
    wasmtrap_trap_t trap;
    trap.struct_size = sizeof trap;
    trap.frames = NULL;
    trap.frames_capacity = 0;
    return wasm_rt_wasmtrap_call(function, argument, &trap) == WASMTRAP_TRAPPED;
}

static double traps(const void *trap) { return by_sigreturn(peer_traps, trap); }

static void load_past_the_end(void *instance) { w2c_bench_load_past_the_end(instance); }
static void reach_the_unreachable(void *instance) { w2c_bench_reach_the_unreachable(instance); }
static void nothing(void *instance) { w2c_bench_nothing(instance); }

int main(void)
{
    static w2c_bench instance;
    uint64_t id;
    init_to_leave_by_jump();
    wasm_rt_init();
    require_ok(wasm_rt_wasmtrap_module_register(&wasm_module_bench, &id));
    wasm2c_bench_instantiate(&instance);
    static const trap_t past_the_end = {load_past_the_end, &instance, TRAPS};
    static const trap_t unreachable = {reach_the_unreachable, &instance, RAISES};
    static const trap_t call = {nothing, &instance, RAISES};
    const measure_t measures[] = {
        {"trap.roundtrip", "wasm2c_on_wasmtrap", traps, &past_the_end},
        {"trap.roundtrip", "wasm2c_on_wasmtrap_jump", peer_traps, &past_the_end},
        {"trap.kinds.raise", "wasm2c_on_wasmtrap", peer_traps, &unreachable},
        {"call.entry", "wasm2c_on_wasmtrap", peer_calls, &call},
    };
    static const char *const in_software = "its code calls the runtime, as in trap.kinds.raise";
    worker_absent("trap.kinds.unreachable", "wasm2c_on_wasmtrap", in_software);
    worker_absent("trap.kinds.division", "wasm2c_on_wasmtrap", in_software);
    worker_absent("trap.kinds.overflow", "wasm2c_on_wasmtrap", "the fault is not in the module's code");
    return worker_serve(measures, sizeof measures / sizeof *measures);
}
