//! An exception, or a longjmp that unwinds, passes through `wasmtrap_call`, or through the call of a fault handler.

use core::ffi::c_void;

use windows_sys::Win32::System::Diagnostics::Debug::{CONTEXT, EXCEPTION_RECORD};

use crate::arch;
use crate::inside::ask;
use crate::outside::call;

/// EXCEPTION_UNWINDING and EXCEPTION_EXIT_UNWIND of <winnt.h>.
const UNWIND: u32 = 0x2 | 0x4;

/// ExceptionContinueSearch of EXCEPTION_DISPOSITION.
const CONTINUE_SEARCH: i32 = 1;

/// The language-specific handler in the unwind information of `wasmtrap_call`: of UNW_FLAG_UHANDLER, so that it is
/// called when its frame is unwound, and not while a handler is looked for. Nothing is called there that could raise an
/// exception but the embedder's function.
pub(crate) unsafe extern "C" fn passed(
    record: *mut EXCEPTION_RECORD,
    frame: *mut c_void,
    _context: *mut CONTEXT,
    _dispatcher: *mut c_void,
) -> i32 {
    // SAFETY: the unwinder vouches for it.
    if unsafe { unwinds(record) } {
        // SAFETY: the frame is that of a protected call, which the unwinding ends.
        unsafe { call::unwound(arch::activation_in(frame)) };
    }
    CONTINUE_SEARCH
}

/// The same in the unwind information of `arch::call_fault_handler`.
pub(crate) unsafe extern "C" fn fault_handler_was_left(
    record: *mut EXCEPTION_RECORD,
    frame: *mut c_void,
    _context: *mut CONTEXT,
    _dispatcher: *mut c_void,
) -> i32 {
    // SAFETY: the unwinder vouches for it.
    if unsafe { unwinds(record) } {
        ask::left_by_unwinding(frame.addr());
    }
    CONTINUE_SEARCH
}

/// Whether frames are being unwound, and no handler is looked for.
///
/// # Safety
/// Null, or the record of an exception.
unsafe fn unwinds(record: *mut EXCEPTION_RECORD) -> bool {
    // SAFETY: the caller's promise.
    unsafe { record.as_ref() }.is_some_and(|record| record.ExceptionFlags & UNWIND != 0)
}
