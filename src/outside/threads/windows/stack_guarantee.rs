//! Room for handling a stack overflow. There is no alternate stack here: handlers run on the stack that has overflowed,
//! on what the system keeps free below it (SetThreadStackGuarantee). The same items as `alternate_stack` has.

use core::sync::atomic::{AtomicUsize, Ordering};

use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::System::Threading::SetThreadStackGuarantee;

use crate::outside::error::{self, Failure};
use crate::outside::platform;
use crate::shared::thread::Thread;

/// Set by wasmtrap_init.
static SIZE: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn set_size(size: usize) {
    SIZE.store(size, Ordering::Relaxed);
}

/// For one more client: what is asked for most is what threads get from now on.
pub(crate) fn raise_size(size: usize) {
    SIZE.fetch_max(size, Ordering::Relaxed);
}

/// How many bytes threads get.
pub(super) fn wanted() -> usize {
    SIZE.load(Ordering::Relaxed)
}

/// Sets this thread's guarantee, and returns what it was. 0 changes nothing.
fn exchange(size: u32) -> Result<u32, Failure> {
    let mut bytes = size;
    // SAFETY: valid for a read and a write.
    match unsafe { SetThreadStackGuarantee(&raw mut bytes) } {
        // SAFETY: no arguments.
        0 => Err(error::system("SetThreadStackGuarantee", unsafe { GetLastError() } as i32)),
        _ => Ok(bytes),
    }
}

/// How many bytes this thread has.
pub(super) fn current() -> Result<usize, Failure> {
    exchange(0).map(|bytes| bytes as usize)
}

/// Whether the thread, once it is attached, has what it needs.
pub(super) fn is_enough_now(thread: Option<&Thread>) -> Result<bool, Failure> {
    Ok(thread.is_none() || current()? >= wanted())
}

/// Gives the thread what is wanted, unless it has that. On a stack that is too small for it the system refuses, and the
/// thread goes on with what it has: all traps but stack overflows need nothing.
pub(super) fn give(_thread: &Thread) -> Result<(), Failure> {
    let wanted = wanted();
    if current()? < wanted {
        let _: Result<u32, Failure> = exchange(wanted.try_into().unwrap_or(u32::MAX));
    }
    platform::provide_guard();
    Ok(())
}

/// Why it is taken back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    Detach,
    EndOfThread,
}

/// Whether it could be.
#[derive(PartialEq, Eq)]
pub(super) enum TakenBack {
    Yes,
    /// Never here.
    #[allow(dead_code, reason = "a guarantee is covered by nothing")]
    Covered,
}

/// The system only ever makes a guarantee larger, so that there is nothing to do.
pub(super) fn take_back(_thread: &Thread, _occasion: Occasion) -> TakenBack {
    TakenBack::Yes
}

/// Nothing is allocated.
///
/// # Safety
/// None is needed.
pub(super) unsafe fn free(_thread: &Thread) {}

/// There is no other stack to run on.
pub(super) fn runs_on_ours(_thread: &Thread) -> Result<bool, Failure> {
    Ok(false)
}
