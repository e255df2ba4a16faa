/*
 * wabt's own runtime, as it ships it: one source up to 1.0.32, three of them later.
 */
#include "wasm-rt-impl.c"
#if __has_include("wasm-rt-mem-impl.c")
#include "wasm-rt-mem-impl.c"
#endif
#if __has_include("wasm-rt-exceptions-impl.c")
#include "wasm-rt-exceptions-impl.c"
#endif
