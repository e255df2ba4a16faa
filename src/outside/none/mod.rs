//! Nothing comes before signals here. Also what a new backend begins as: see `outside::exceptions`.

use core::fmt;
use core::ptr::NonNull;

use super::allocation;
use super::error::Failure;
use super::obstacle::Obstacle;
use crate::shared::backend::ThreadHalf;
use crate::shared::thread::Thread;

pub(crate) const EXIST: bool = false;

const NO_MACH_PORTS: &str = if cfg!(windows) {
    "there are no Mach exception ports on Windows"
} else {
    "there are no Mach exception ports on Linux"
};

pub(crate) fn possible() -> Result<&'static str, Obstacle> {
    Err(Obstacle::new(NO_MACH_PORTS))
}

pub(crate) fn start(_kinds: u32, _must_not_be_signals: bool) -> Result<(), Obstacle> {
    possible().map(|_| ())
}

pub(crate) fn extend(_kinds: u32) {}

pub(crate) fn signals_go_on_top() {}

pub(crate) fn stop() {}

pub(crate) fn attach(_thread: &Thread) -> Result<(), Failure> {
    Ok(())
}

pub(crate) fn detach(_thread: &Thread) {}

pub(crate) fn check() -> Result<u32, Failure> {
    Ok(0)
}

pub(crate) fn rearm() -> Result<(), Failure> {
    Ok(())
}

pub(crate) fn fork_in_child() -> Option<&'static str> {
    None
}

pub(crate) fn forget_thread(_thread: &Thread) {}

pub(crate) fn describe_host(_out: &mut impl fmt::Write) -> fmt::Result {
    Ok(())
}

pub(crate) fn describe(_out: &mut impl fmt::Write) -> fmt::Result {
    Ok(())
}

pub(crate) fn new_thread_half() -> Result<ThreadHalf, Failure> {
    Ok(ThreadHalf)
}

pub(crate) fn kept_record() -> Option<NonNull<Thread>> {
    None
}

/// # Safety
/// The memory of a record that nobody has seen.
pub(crate) unsafe fn give_back_memory(record: NonNull<Thread>) {
    // SAFETY: the caller's promise.
    unsafe { allocation::release(record) };
}

/// # Safety
/// The record is on no list, and no handler can find it.
pub(crate) unsafe fn free_record(record: NonNull<Thread>) {
    // SAFETY: the caller's promise.
    unsafe { allocation::release(record) };
}
