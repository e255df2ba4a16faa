//! Names the shared library.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let major = env::var("CARGO_PKG_VERSION_MAJOR").expect("cargo sets it");
    let arguments: &[&str] = match env::var("CARGO_CFG_TARGET_OS").expect("cargo sets it").as_str() {
        // nodelete: signal handlers point into the library. Bsymbolic: the library in here is the one that is called,
        // also where libwasmtrap.so is in the process.
        "linux" => &[
            &format!("-Wl,-soname,libwasmtrap_wasmtime.so.{major}"),
            "-Wl,-z,nodelete",
            "-Wl,-z,now",
            "-Wl,-z,relro",
            "-Wl,-Bsymbolic",
        ],
        "macos" => &[&format!("-Wl,-install_name,@rpath/libwasmtrap_wasmtime.{major}.dylib")],
        _ => &[],
    };
    for argument in arguments {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
}
