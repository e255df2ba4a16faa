//! The functions of libwasmtrap that the host calls itself.

use std::ffi::{CStr, c_char, c_int, c_void};

const OK: c_int = 0;
const ERR_CONFLICT: c_int = -4;

unsafe extern "C" {
    fn wasmtrap_init(options: *const c_void) -> c_int;
    fn wasmtrap_last_error() -> *const c_char;
    fn wasmtrap_status_name(status: c_int) -> *const c_char;
}

/// Sets libwasmtrap up, unless somebody has; or says why it cannot be.
///
/// Wasmtime would do it as well, but drops the error.
pub(crate) fn set_up() -> Result<(), String> {
    // SAFETY: null stands for the defaults.
    let status = unsafe { wasmtrap_init(std::ptr::null()) };
    if status == OK || status == ERR_CONFLICT {
        return Ok(());
    }
    // SAFETY: both are C strings, which stay for long enough.
    let (name, why) = unsafe { (CStr::from_ptr(wasmtrap_status_name(status)), CStr::from_ptr(wasmtrap_last_error())) };
    Err(format!("libwasmtrap cannot be set up: {}: {}", name.to_string_lossy(), why.to_string_lossy()))
}
