//! The signal backend's part that runs in handlers. What differs between systems has a folder of its own, with the same
//! items.

mod engines;
pub(crate) mod entry;
pub(crate) mod forward;
mod reading;

#[cfg_attr(target_os = "linux", path = "linux/mod.rs")]
#[cfg_attr(target_os = "macos", path = "macos/mod.rs")]
mod platform;

pub(crate) use platform::{classify, context, earlier_handler, kernel, leave};

// Pure, so that its tests run anywhere.
#[cfg(all(test, not(all(target_os = "macos", target_arch = "aarch64"))))]
#[path = "macos/aarch64_access.rs"]
mod aarch64_access;
