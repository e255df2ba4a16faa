//! Links with libwasmtrap, from the folder that WASMTRAP_DIR names. It is looked up there at run time, too, unless
//! LD_LIBRARY_PATH names another.

use std::env;

fn main() {
    println!("cargo::rerun-if-env-changed=WASMTRAP_DIR");
    let folder = env::var("WASMTRAP_DIR").expect("WASMTRAP_DIR: where libwasmtrap.so is");
    println!("cargo::rustc-link-search=native={folder}");
    println!("cargo::rustc-link-lib=dylib=wasmtrap");
    println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
}
