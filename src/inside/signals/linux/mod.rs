//! Linux.

#[cfg_attr(target_arch = "x86_64", path = "context_x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "context_aarch64.rs")]
pub(crate) mod context;

pub(crate) mod classify;
pub(crate) mod earlier_handler;
#[cfg(wasmtrap_mach)]
pub(crate) mod frame;
#[cfg(wasmtrap_mach)]
#[cfg_attr(target_arch = "x86_64", path = "frame_registers_x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "frame_registers_aarch64.rs")]
mod frame_registers;
pub(crate) mod kernel;
#[cfg_attr(target_arch = "x86_64", path = "leave_x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "../leave_by_the_kernel.rs")]
pub(crate) mod leave;
#[cfg(target_arch = "x86_64")]
mod protection_x86_64;
#[cfg(target_arch = "x86_64")]
#[path = "rights_x86_64.rs"]
pub(crate) mod rights;
