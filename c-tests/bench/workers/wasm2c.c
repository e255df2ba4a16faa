/*
 * Debian's wasm2c with its own runtime: sigsetjmp with the mask (wasm_rt_impl_try), its handler for SIGSEGV, and
 * siglongjmp. The traps are the generated code's, but for the stack overflow, which is that of the other contestants:
 * how deep the generated recursion is would be measured instead.
 */
#include "bench.h"
#include "faults.h"
#include "peer.h"
#include "wasm-rt-impl.h"
#include "worker.h"

int peer_call(void (*function)(void *), void *argument)
{
    wasm_rt_trap_t trap = wasm_rt_impl_try();
    if (trap == WASM_RT_TRAP_NONE)
        function(argument);
    return trap != WASM_RT_TRAP_NONE;
}

static void load_past_the_end(void *instance) { Z_benchZ_load_past_the_end(instance); }
static void reach_the_unreachable(void *instance) { Z_benchZ_reach_the_unreachable(instance); }
static void nothing(void *instance) { Z_benchZ_nothing(instance); }

int main(void)
{
    static Z_bench_instance_t instance;
    limit_the_stack();
    wasm_rt_init();
    Z_bench_init_module();
    Z_bench_instantiate(&instance);
    static const trap_t past_the_end = {load_past_the_end, &instance, TRAPS};
    static const trap_t unreachable = {reach_the_unreachable, &instance, RAISES};
    static const trap_t call = {nothing, &instance, RAISES};
    const trap_t overflow = {faults[FAULT_OVERFLOW].function, NULL, FEWER_TRAPS};
    const measure_t measures[] = {
        {"trap.roundtrip", "wasm2c", peer_traps, &past_the_end},
        {"trap.kinds.raise", "wasm2c", peer_traps, &unreachable},
        {"trap.kinds.overflow", "wasm2c", peer_traps, &overflow},
        {"call.entry", "wasm2c", peer_calls, &call},
    };
    static const char *const in_software = "its code calls the runtime, as in trap.kinds.raise";
    worker_absent("trap.kinds.unreachable", "wasm2c", in_software);
    worker_absent("trap.kinds.division", "wasm2c", in_software);
    return worker_serve(measures, sizeof measures / sizeof *measures);
}
