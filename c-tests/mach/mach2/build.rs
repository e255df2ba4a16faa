//! Finds or builds libsimulated_mach.so.
//!
//! SIMULATED_MACH_LIBRARY is the folder in which `make` has built it, so that all parts of a process use one. Without
//! it, the library is built here from its sources, by $CC or cc. Its soname is its path: who links with it needs no
//! rpath.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const LIBRARY: &str = "libsimulated_mach.so";

fn main() {
    println!("cargo::rerun-if-env-changed=SIMULATED_MACH_LIBRARY");
    println!("cargo::rerun-if-env-changed=CC");
    let folder = match env::var_os("SIMULATED_MACH_LIBRARY") {
        Some(folder) => PathBuf::from(folder),
        None => build(),
    };
    println!("cargo::rustc-link-search=native={}", folder.display());
    println!("cargo::rustc-link-lib=dylib=simulated_mach");
    println!("cargo::metadata=library={}", folder.display());
}

fn build() -> PathBuf {
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let manifest = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let sources = Path::new(&manifest).join("../library");
    println!("cargo::rerun-if-changed={}", sources.display());
    let library = folder.join(LIBRARY);
    let files = std::fs::read_dir(sources.join("src")).expect("the library's sources are there");
    let files = files.filter_map(|file| Some(file.ok()?.path())).filter(|path| path.extension() == Some("c".as_ref()));
    let status = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()))
        .args(["-std=c99", "-D_GNU_SOURCE", "-O2", "-g", "-fPIC", "-shared", "-pthread", "-fvisibility=default"])
        .arg("-I")
        .arg(sources.join("include"))
        .args(files)
        .arg(format!("-Wl,-soname,{}", library.display()))
        .arg("-o")
        .arg(&library)
        .status()
        .expect("there is a C compiler");
    assert!(status.success(), "{LIBRARY} could not be built");
    folder
}
