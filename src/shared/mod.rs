//! Data that handlers and ordinary code both look at.

pub mod abi;
pub(crate) mod activation;
pub(crate) mod adopted;
pub(crate) mod calls;
#[cfg_attr(windows, path = "disposition_windows.rs")]
pub(crate) mod disposition;
pub(crate) mod last_lookup;
#[cfg(wasmtrap_mach)]
pub(crate) mod mach;
#[cfg(not(wasmtrap_mach))]
mod none;
pub(crate) mod pending;
pub(crate) mod readers;
pub(crate) mod runs;
pub(crate) mod seal;
pub(crate) mod state;
pub(crate) mod thread;
pub(crate) mod tree;

/// What a thread's record has for the backend: the lines that pick, as `outside::exceptions` and `inside::backend` do.
pub(crate) mod backend {
    #[cfg(wasmtrap_mach)]
    pub(crate) use super::mach::MachThread as ThreadHalf;
    #[cfg(not(wasmtrap_mach))]
    pub(crate) use super::none::{BackendsTraps, ThreadHalf};
    #[cfg(wasmtrap_mach)]
    pub(crate) use super::pending::PendingTraps as BackendsTraps;
}
