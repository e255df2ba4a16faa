//! The same Wasmtime, with the same handlers, which the library has adopted: it is in front, and calls them.

use std::process::ExitCode;

#[path = "../../workers/adopting.rs"]
mod adopting;
#[path = "../worker.rs"]
mod worker;

fn main() -> ExitCode {
    // The first engine of a process installs the handlers.
    let _engine = adopting::adopt(wasmtime::Engine::default);
    worker::run("wasmtime_adopted")
}
