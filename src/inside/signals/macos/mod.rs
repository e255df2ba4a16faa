//! macOS.

#[cfg_attr(target_arch = "x86_64", path = "context_x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "context_aarch64.rs")]
pub(crate) mod context;

pub(crate) mod classify;
pub(crate) mod earlier_handler;
#[cfg(wasmtrap_mach)]
pub(crate) mod frame;
pub(crate) mod kernel;
#[path = "../leave_by_the_kernel.rs"]
pub(crate) mod leave;

#[cfg(target_arch = "aarch64")]
mod aarch64_access;
