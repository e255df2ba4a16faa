//! Names the shared library. With the feature `generate-header`, it generates the C header as well: for whoever changes
//! the API. All others use the one that is checked in, and need not wait for cbindgen.

use std::env;

fn main() {
    let target_os = env::var("CARGO_CFG_TARGET_OS").expect("cargo sets it");
    let major = env::var("CARGO_PKG_VERSION_MAJOR").expect("cargo sets it");
    let names_library = env::var_os("CARGO_FEATURE_SONAME").is_some();
    if names_library && target_os == "linux" {
        // nodelete: signal handlers point into the library, so that it must never be unloaded.
        for argument in
            [&format!("-Wl,-soname,libwasmtrap.so.{major}"), "-Wl,-z,nodelete", "-Wl,-z,now", "-Wl,-z,relro"]
        {
            println!("cargo::rustc-cdylib-link-arg={argument}");
        }
    }

    // The code keeps to the user shadow stack (arch/x86_64.rs), and says so; the linker would take the mark away for
    // crt files that do not have it. There is no mark for indirect branches: Rust's compiler puts endbr64 to the start
    // of functions whose address is taken only with -Z cf-protection, and for arm64's BTI it is the same.
    if names_library && target_os == "linux" && env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("x86_64") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,shstk");
    }

    // The Mach backend: on macOS, and where a simulated Mach kernel stands in for it.
    println!("cargo::rustc-check-cfg=cfg(wasmtrap_mach)");
    if target_os == "macos" || env::var_os("CARGO_FEATURE_SIMULATED_MACH").is_some() {
        println!("cargo::rustc-cfg=wasmtrap_mach");
    }

    if names_library && target_os == "macos" {
        // Programs ask for the library by this name, and refuse one that is older than the one they were linked with in
        // the part of the version that has to be the same.
        let minor = env::var("CARGO_PKG_VERSION_MINOR").expect("cargo sets it");
        let version = env::var("CARGO_PKG_VERSION").expect("cargo sets it");
        let compatible = if major == "0" { format!("{major}.{minor}.0") } else { format!("{major}.0.0") };
        for argument in [
            format!("-Wl,-install_name,@rpath/libwasmtrap.{major}.dylib"),
            format!("-Wl,-compatibility_version,{compatible}"),
            format!("-Wl,-current_version,{version}"),
            // Crate libc names libraries that nothing here uses.
            "-Wl,-dead_strip_dylibs".into(),
        ] {
            println!("cargo::rustc-cdylib-link-arg={argument}");
        }
    }

    // Always, for who names nothing is run again by any change of the package.
    println!("cargo::rerun-if-env-changed=WASMTRAP_RESOURCE");
    if names_library && target_os == "windows" {
        // The version resource, compiled (c-tests/windows/rules.mk). Who builds without it has a DLL without one.
        if let Ok(resource) = env::var("WASMTRAP_RESOURCE") {
            println!("cargo::rerun-if-changed={resource}");
            println!("cargo::rustc-cdylib-link-arg={resource}");
        }
    }

    #[cfg(feature = "generate-header")]
    header::generate();
}

#[cfg(feature = "generate-header")]
mod header {
    use std::{env, fs, path::Path};

    pub(super) fn generate() {
        println!("cargo::rerun-if-changed=src/capi.rs");
        println!("cargo::rerun-if-changed=src/shared/abi.rs");
        println!("cargo::rerun-if-changed=cbindgen.toml");
        let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
        let root = Path::new(&root);
        let header = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("wasmtrap.h");
        let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is valid");
        let mut text = Vec::new();
        cbindgen::Builder::new()
            .with_src(root.join("src/shared/abi.rs"))
            .with_src(root.join("src/capi.rs"))
            .with_config(config)
            .generate()
            .expect("the C API has a header")
            .write(&mut text);
        let text = String::from_utf8(text).expect("the sources are UTF-8");
        fs::write(&header, for_c(&text)).expect("OUT_DIR is writable");
        // For packaging/generated-header.py.
        println!("cargo::rustc-env=WASMTRAP_GENERATED_HEADER={}", header.display());
    }

    /// Says in C what cbindgen leaves in Rust's words, and puts negative constants in parentheses.
    fn for_c(header: &str) -> String {
        let mut text = String::new();
        for line in header.lines() {
            match line.rsplit_once(' ') {
                Some((define, value)) if define.starts_with("#define") && value.starts_with('-') => {
                    text += &format!("{define} ({value})");
                }
                _ => text += &line.replace("// # Safety", "// The caller vouches for this:"),
            }
            text.push('\n');
        }
        text
    }
}
