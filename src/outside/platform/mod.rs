//! What ordinary code asks of the operating system, where systems differ: the same items for each.

#[cfg_attr(target_os = "linux", path = "linux/mod.rs")]
#[cfg_attr(target_os = "macos", path = "macos.rs")]
mod this;

pub(crate) use this::*;
