//! Wasmtime as the crate comes: with signal handlers of its own.

use std::process::ExitCode;

#[path = "../worker.rs"]
mod worker;

fn main() -> ExitCode {
    match worker::serve("wasmtime") {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
