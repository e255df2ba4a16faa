/*
 * Comes behind the SIMD header of a module's C (translate.py puts it there): loads and stores of vectors, between the
 * barriers that other accesses have (wasm_rt_wasmtrap_module.h). Up to 1.0.41 they go through these functions; later
 * ones go through wasm_rt_memcpy as all do.
 */
#ifndef WASM_RT_WASMTRAP_VECTORS_H
#define WASM_RT_WASMTRAP_VECTORS_H

#define WASM_RT_WASMTRAP_LOADED(load)   \
  __extension__({                       \
    WASM_RT_WASMTRAP_BARRIER();         \
    const simde_v128_t loaded = (load); \
    WASM_RT_WASMTRAP_BARRIER();         \
    loaded;                             \
  })
#define WASM_RT_WASMTRAP_STORED(store) \
  __extension__({                      \
    WASM_RT_WASMTRAP_BARRIER();        \
    store;                             \
    WASM_RT_WASMTRAP_BARRIER();        \
  })

#define simde_wasm_v128_load(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_v128_load(__VA_ARGS__))
#define simde_wasm_v128_load8_splat(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_v128_load8_splat(__VA_ARGS__))
#define simde_wasm_v128_load16_splat(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_v128_load16_splat(__VA_ARGS__))
#define simde_wasm_v128_load32_splat(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_v128_load32_splat(__VA_ARGS__))
#define simde_wasm_v128_load64_splat(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_v128_load64_splat(__VA_ARGS__))
#define simde_wasm_v128_load32_zero(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_v128_load32_zero(__VA_ARGS__))
#define simde_wasm_v128_load64_zero(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_v128_load64_zero(__VA_ARGS__))
#define simde_wasm_v128_load8_lane(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_v128_load8_lane(__VA_ARGS__))
#define simde_wasm_v128_load16_lane(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_v128_load16_lane(__VA_ARGS__))
#define simde_wasm_v128_load32_lane(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_v128_load32_lane(__VA_ARGS__))
#define simde_wasm_v128_load64_lane(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_v128_load64_lane(__VA_ARGS__))
#define simde_wasm_i16x8_load8x8(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_i16x8_load8x8(__VA_ARGS__))
#define simde_wasm_u16x8_load8x8(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_u16x8_load8x8(__VA_ARGS__))
#define simde_wasm_i32x4_load16x4(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_i32x4_load16x4(__VA_ARGS__))
#define simde_wasm_u32x4_load16x4(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_u32x4_load16x4(__VA_ARGS__))
#define simde_wasm_i64x2_load32x2(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_i64x2_load32x2(__VA_ARGS__))
#define simde_wasm_u64x2_load32x2(...) WASM_RT_WASMTRAP_LOADED(simde_wasm_u64x2_load32x2(__VA_ARGS__))

#define simde_wasm_v128_store(...) WASM_RT_WASMTRAP_STORED(simde_wasm_v128_store(__VA_ARGS__))
#define simde_wasm_v128_store8_lane(...) WASM_RT_WASMTRAP_STORED(simde_wasm_v128_store8_lane(__VA_ARGS__))
#define simde_wasm_v128_store16_lane(...) WASM_RT_WASMTRAP_STORED(simde_wasm_v128_store16_lane(__VA_ARGS__))
#define simde_wasm_v128_store32_lane(...) WASM_RT_WASMTRAP_STORED(simde_wasm_v128_store32_lane(__VA_ARGS__))
#define simde_wasm_v128_store64_lane(...) WASM_RT_WASMTRAP_STORED(simde_wasm_v128_store64_lane(__VA_ARGS__))

#endif
