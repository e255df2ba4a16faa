//! Links with libwasmtrap_wasmtime, from the folder that WASMTRAP_WASMTIME_DIR names.

use std::env;

fn main() {
    println!("cargo::rerun-if-env-changed=WASMTRAP_WASMTIME_DIR");
    let folder = env::var("WASMTRAP_WASMTIME_DIR").expect("WASMTRAP_WASMTIME_DIR: where libwasmtrap_wasmtime is");
    println!("cargo::rerun-if-changed={folder}/libwasmtrap_wasmtime.so");
    println!("cargo::rustc-link-search=native={folder}");
    println!("cargo::rustc-link-lib=dylib=wasmtrap_wasmtime");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libwasmtime_host.so");
        println!("cargo::rustc-cdylib-link-arg=-Wl,-rpath,$ORIGIN");
    }
}
