//! Names the shared library.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let version = env::var("CARGO_PKG_VERSION").expect("cargo sets it");
    let major = env::var("CARGO_PKG_VERSION_MAJOR").expect("cargo sets it");
    let minor = env::var("CARGO_PKG_VERSION_MINOR").expect("cargo sets it");
    let compatible = if major == "0" { format!("0.{minor}.0") } else { format!("{major}.0.0") };
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
        // The versions, and the libraries that go unused, are as in libwasmtrap's own build.
        "macos" => &[
            &format!("-Wl,-install_name,@rpath/libwasmtrap_wasmtime.{major}.dylib"),
            &format!("-Wl,-compatibility_version,{compatible}"),
            &format!("-Wl,-current_version,{version}"),
            "-Wl,-dead_strip_dylibs",
        ],
        _ => &[],
    };
    for argument in arguments {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
}
