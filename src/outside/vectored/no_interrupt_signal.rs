//! There is no signal by which threads could be interrupted: interrupts pend until the guest polls, enters a protected
//! call, or comes to an interrupt point. The same items as `interrupt_signal` has.

use core::ffi::c_int;

use crate::outside::error::Failure;

/// Whether it may be the signal.
pub(crate) fn may_be(_signal: c_int) -> bool {
    false
}

pub(crate) fn current() -> c_int {
    0
}

/// Never called with one: see `may_be`.
pub(crate) fn install(_signal: c_int, _host_owns_signals: bool) -> Result<(), Failure> {
    Ok(())
}

pub(crate) fn remove() {}

pub(crate) fn lock_for_fork() {}

/// # Safety
/// None is needed.
pub(crate) unsafe fn unlock_after_fork() {}
