//! The same Wasmer, with the same handlers, which the library has adopted: it is in front, and calls them.

use std::process::ExitCode;

#[path = "../workers/adopting.rs"]
mod adopting;
mod worker;

fn main() -> ExitCode {
    worker::run("wasmer_adopted", adopting::adopt(worker::start))
}
