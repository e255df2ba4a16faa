//! Wasmer as the crate comes: with signal handlers of its own.

use std::process::ExitCode;

mod worker;

fn main() -> ExitCode {
    worker::run("wasmer_own_handlers", worker::start())
}
