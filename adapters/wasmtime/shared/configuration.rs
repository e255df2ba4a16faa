//! The settings of Wasmtime that compiled modules and the host must agree on, and how the host looks at its processor.

use wasmtime::Config;

/// Wasmtime's defaults, which is what is tried here, less what no host without Rust's standard library has.
pub fn configuration() -> Config {
    let mut config = Config::new();
    // Shared memories and waiting need Wasmtime's feature `threads`, which needs `std`. Components are on by default
    // where Wasmtime is built with them, as the compiler may be; no module of such an engine loads in a host without.
    // Wasmtime 36 is built without them on both sides, and has the garbage collector off.
    #[cfg(feature = "wasmtime-36")]
    config.wasm_function_references(true).wasm_gc(true);
    #[cfg(not(feature = "wasmtime-36"))]
    {
        config.wasm_features(wasmtime::WasmFeatures::THREADS | wasmtime::WasmFeatures::COMPONENT_MODEL, false);
        config.concurrency_support(false);
    }
    // SAFETY: it tells the truth about this processor.
    unsafe { config.detect_host_feature(detect_host_feature) };
    config
}

/// What this processor has of what modules may have been compiled for. Without `std`, Wasmtime cannot ask it itself.
fn detect_host_feature(feature: &str) -> Option<bool> {
    /// A match from names to the standard library's detection.
    macro_rules! detect {
        ($detect:ident: $($name:tt)*) => {
            match feature {
                $($name => Some(std::arch::$detect!($name)),)*
                _ => None,
            }
        };
    }
    #[cfg(target_arch = "x86_64")]
    return detect!(is_x86_feature_detected:
        "cmpxchg16b" "sse3" "ssse3" "sse4.1" "sse4.2" "popcnt" "avx" "avx2" "fma" "avxvnni" "bmi1" "bmi2" "lzcnt"
        "avx512bitalg" "avx512dq" "avx512f" "avx512vl" "avx512vbmi" "avx512vnni");
    #[cfg(target_arch = "aarch64")]
    return detect!(is_aarch64_feature_detected: "lse" "paca" "fp16" "dotprod" "i8mm");
}
