//! The signal backend's part that runs in handlers. What differs between systems has a folder of its own, with the same
//! items.

pub(crate) mod engines;
pub(crate) mod entry;
pub(crate) mod forward;
mod interrupt;
mod reading;

#[cfg_attr(target_os = "linux", path = "linux/mod.rs")]
#[cfg_attr(target_os = "macos", path = "macos/mod.rs")]
mod platform;

pub(crate) use platform::{classify, context, earlier_handler, kernel, leave};

#[cfg(wasmtrap_mach)]
pub(crate) use platform::frame;

/// What the kernel makes of an exception that nobody takes before: a signal with its code and its address, which is
/// that of the instruction where none is here.
#[cfg(any(wasmtrap_mach, test))]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Made {
    pub(crate) signal: libc::c_int,
    pub(crate) code: i32,
    pub(crate) address: Option<usize>,
}

// Pure, so that its tests run anywhere.
#[cfg(all(test, not(all(target_os = "macos", target_arch = "aarch64"))))]
#[path = "macos/aarch64_access.rs"]
mod aarch64_access;
