//! There are no signals, and so none to block. The same items as `signal_mask` has.

use crate::outside::error::Failure;
use crate::shared::thread::Thread;

pub(crate) fn set_keep(_keep: bool) {}

pub(super) fn lift(_thread: &Thread) -> Result<(), Failure> {
    Ok(())
}

pub(super) fn put_back(_thread: &Thread) {}

pub(super) fn blocked_kinds() -> Result<u32, Failure> {
    Ok(0)
}

pub(super) fn blocks_interrupts() -> Result<bool, Failure> {
    Ok(false)
}
