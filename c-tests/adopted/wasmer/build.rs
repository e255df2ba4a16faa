//! Links with libwasmtrap, from the folder that WASMTRAP_DIR names. It is looked up there at run time, too, unless
//! LD_LIBRARY_PATH names another.

use std::env;

fn main() {
    println!("cargo::rerun-if-env-changed=WASMTRAP_DIR");
    let folder = env::var("WASMTRAP_DIR").expect("WASMTRAP_DIR: where libwasmtrap.so is");
    // Arguments rather than a library: a package's libraries are linked with its own library alone.
    for argument in [format!("-L{folder}"), "-lwasmtrap".into(), format!("-Wl,-rpath,{folder}")] {
        println!("cargo::rustc-link-arg={argument}");
    }
}
