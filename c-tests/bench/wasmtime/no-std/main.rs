//! Wasmtime without Rust's standard library, and so without signal handlers of its own: its custom platform is
//! libwasmtrap_wasmtime.

use std::process::ExitCode;

#[path = "../worker.rs"]
mod worker;

// What the crate wasmtime asks a custom platform for.
#[link(name = "wasmtrap_wasmtime")]
unsafe extern "C" {}

fn main() -> ExitCode {
    worker::run("wasmtime_no_std_on_wasmtrap")
}
