//! The signal backend's part that runs in handlers.

#[cfg_attr(target_arch = "x86_64", path = "context_linux_x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "context_linux_aarch64.rs")]
pub(crate) mod context;

pub(crate) mod classify;
pub(crate) mod entry;
pub(crate) mod forward;
pub(crate) mod interrupted_stack;
pub(crate) mod kernel;
