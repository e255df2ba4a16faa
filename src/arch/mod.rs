//! What only assembly can do: entering and leaving a protected call, the thread's own pointer, the signal entry points.

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
mod this;

pub(crate) use this::*;
