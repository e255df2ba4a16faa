//! What Wasmtime 36 asks for, and later releases do not: one word of a thread's, and the way back from a trap, which
//! those have in compiled code. It has no locks of the embedder's: its own panic where two threads want one.

use crate::{arch, threads};

/// This thread's word.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_tls_get() -> *mut u8 {
    threads::get(0)
}

/// Sets this thread's word.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_tls_set(value: *mut u8) {
    threads::set(0, value);
}

/// Calls `callback` with the other two, and says what it says: or false, if `wasmtime_longjmp` comes back here.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_setjmp(
    jump: *mut *const u8,
    callback: extern "C" fn(*mut u8, *mut u8) -> bool,
    payload: *mut u8,
    callee: *mut u8,
) -> bool {
    // SAFETY: Wasmtime's promise: `jump` is valid for a write, and the rest is for its own callback.
    unsafe { arch::call_with_a_way_back(jump, callback, payload, callee) }
}

/// Back to where `wasmtime_setjmp` has set `jump`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_longjmp(jump: *const u8) -> ! {
    // SAFETY: Wasmtime's promise: the callback of that call has not returned, and all that is left here is its own.
    unsafe { arch::go_back(jump) }
}
