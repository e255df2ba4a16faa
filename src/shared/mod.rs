//! Data that handlers and ordinary code both look at.

pub mod abi;
pub(crate) mod activation;
pub(crate) mod calls;
pub(crate) mod disposition;
#[cfg(wasmtrap_mach)]
pub(crate) mod mach;
pub(crate) mod readers;
pub(crate) mod seal;
pub(crate) mod state;
pub(crate) mod thread;
pub(crate) mod tree;
