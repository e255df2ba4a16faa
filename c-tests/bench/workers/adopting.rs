//! Has the library adopt the handlers that an engine installs.

use std::ffi::{c_int, c_void};

#[link(name = "wasmtrap")]
unsafe extern "C" {
    fn wasmtrap_init(options: *const c_void) -> c_int;
    fn wasmtrap_adopt_begin(client: u32) -> c_int;
    fn wasmtrap_adopt_end(flags: u32, engine: *mut u64) -> c_int;
}

/// Those that `start` has it install.
pub fn adopt<T>(start: impl FnOnce() -> T) -> T {
    // SAFETY: null stands for the defaults, and 0 is the default client.
    assert_eq!(unsafe { wasmtrap_init(std::ptr::null()) | wasmtrap_adopt_begin(0) }, 0, "the library is set up");
    let started = start();
    // SAFETY: a place for a number.
    assert_eq!(unsafe { wasmtrap_adopt_end(0, &mut 0) }, 0, "the engine is adopted");
    started
}
