//! The same Wasmtime, with the same handlers, which the library has adopted: it is in front, and calls them.

use std::ffi::{c_int, c_void};
use std::process::ExitCode;

#[path = "../worker.rs"]
mod worker;

#[link(name = "wasmtrap")]
unsafe extern "C" {
    fn wasmtrap_init(options: *const c_void) -> c_int;
    fn wasmtrap_adopt_begin(client: u32) -> c_int;
    fn wasmtrap_adopt_end(flags: u32, engine: *mut u64) -> c_int;
}

fn main() -> ExitCode {
    // SAFETY: null stands for the defaults, and 0 is the default client.
    assert_eq!(unsafe { wasmtrap_init(std::ptr::null()) | wasmtrap_adopt_begin(0) }, 0, "the library is set up");
    // The first engine of a process installs the handlers.
    let engine = wasmtime::Engine::default();
    // SAFETY: a place for a number.
    assert_eq!(unsafe { wasmtrap_adopt_end(0, &mut 0) }, 0, "Wasmtime is adopted");
    let served = worker::serve("wasmtime_adopted");
    drop(engine);
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
