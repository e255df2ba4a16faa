//! Wasmtime without signal handlers of its own: its custom platform is libwasmtrap_wasmtime.

use std::process::ExitCode;

#[path = "../worker.rs"]
mod worker;

// What the crate wasmtime asks a custom platform for.
#[link(name = "wasmtrap_wasmtime")]
unsafe extern "C" {}

fn main() -> ExitCode {
    match worker::serve("wasmtime_on_wasmtrap") {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
