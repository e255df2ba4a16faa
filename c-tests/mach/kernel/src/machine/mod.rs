//! What only one architecture knows: registers, the call's registers, thread states, and which fault is which
//! exception.
//!
//! Each module has the same surface.

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod thread_state;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::*;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::*;

/// An exception as XNU would raise it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    pub(crate) exception: u32,
    pub(crate) code: i64,
    pub(crate) subcode: i64,
}

/// The largest state that a message carries, in words (THREAD_STATE_MAX, osfmk/mach/i386/thread_status.h).
pub(crate) const STATE_WORDS_MAX: usize = 1296;
