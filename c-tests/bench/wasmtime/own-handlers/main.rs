//! Wasmtime as the crate comes: with signal handlers of its own.

use std::process::ExitCode;

#[path = "../worker.rs"]
mod worker;

fn main() -> ExitCode {
    worker::run("wasmtime_own_handlers")
}
