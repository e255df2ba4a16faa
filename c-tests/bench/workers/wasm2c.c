/*
 * wasm2c with its own runtime, of the sources that its wabt ships: sigsetjmp with the mask (wasm_rt_impl_try), its
 * handler for SIGSEGV, and siglongjmp. The traps are the generated code's, but for the stack overflow, which is that of
 * the other contestants: how deep the generated recursion is would be measured instead.
 */
#include "bench.h"
#include "faults.h"
#include "peer.h"
#include "wasm-rt-impl.h"
#include "worker.h"

/* Where wasm-rt.h has the exceptions in itself (up to 1.0.32), names are older ones, too. */
#if defined(WASM_RT_UNWIND_TARGET) && !defined(WASM_RT_EXCEPTIONS_H_)
#define WASM2C_IS_OLD 1
#else
#include "wasm-rt-exceptions.h"
#endif

int peer_call(void (*function)(void *), void *argument)
{
    wasm_rt_trap_t trap = wasm_rt_impl_try();
    if (trap == WASM_RT_TRAP_NONE)
        function(argument);
    return trap != WASM_RT_TRAP_NONE;
}

#if defined(WASM2C_IS_OLD)
#define w2c_bench Z_bench_instance_t
#define w2c_bench_load_past_the_end Z_benchZ_load_past_the_end
#define w2c_bench_reach_the_unreachable Z_benchZ_reach_the_unreachable
#define w2c_bench_nothing Z_benchZ_nothing
#define wasm2c_bench_instantiate(instance) (Z_bench_init_module(), Z_bench_instantiate(instance))
#endif

static void load_past_the_end(void *instance) { w2c_bench_load_past_the_end(instance); }
static void reach_the_unreachable(void *instance) { w2c_bench_reach_the_unreachable(instance); }
static void nothing(void *instance) { w2c_bench_nothing(instance); }

int main(void)
{
    static w2c_bench instance;
    limit_the_stack();
    wasm_rt_init();
    wasm2c_bench_instantiate(&instance);
    static const trap_t past_the_end = {load_past_the_end, &instance, TRAPS};
    static const trap_t unreachable = {reach_the_unreachable, &instance, RAISES};
    static const trap_t call = {nothing, &instance, RAISES};
    const trap_t overflow = {faults[FAULT_OVERFLOW].function, NULL, FEWER_TRAPS};
    const measure_t measures[] = {
        {"trap.roundtrip", "wasm2c_own_runtime", peer_traps, &past_the_end},
        {"trap.kinds.raise", "wasm2c_own_runtime", peer_traps, &unreachable},
        {"trap.kinds.overflow", "wasm2c_own_runtime", peer_traps, &overflow},
        {"call.entry", "wasm2c_own_runtime", peer_calls, &call},
    };
    static const char *const in_software = "its code calls the runtime, as in trap.kinds.raise";
    worker_absent("trap.kinds.unreachable", "wasm2c_own_runtime", in_software);
    worker_absent("trap.kinds.division", "wasm2c_own_runtime", in_software);
    return worker_serve(measures, sizeof measures / sizeof *measures);
}
