//! What runs in ordinary context: may lock, allocate and format.

pub(crate) mod adoption;
pub(crate) mod allocation;
pub(crate) mod call;
pub(crate) mod cancellation;
pub(crate) mod clients;
pub(crate) mod code;
pub(crate) mod describe;
pub(crate) mod error;
pub(crate) mod exceptions;
pub(crate) mod fault_handlers;
pub(crate) mod fork;
pub(crate) mod grace_period;
pub(crate) mod growing;
pub(crate) mod guest_access;
#[cfg_attr(windows, path = "vectored/interrupt_signal.rs")]
pub(crate) mod interrupt_signal;
pub(crate) mod library;
pub(crate) mod lock;
#[cfg(any(wasmtrap_mach, test))]
pub(crate) mod mach;
pub(crate) mod names;
pub(crate) mod node_pool;
#[cfg(not(wasmtrap_mach))]
mod none;
pub(crate) mod obstacle;
pub(crate) mod options;
pub(crate) mod pin;
pub(crate) mod platform;
pub(crate) mod poll_pages;
pub(crate) mod regions;
pub(crate) mod registry;
pub(crate) mod runs;
pub(crate) mod sanitizers;
pub(crate) mod secret;
#[cfg_attr(windows, path = "vectored/mod.rs")]
pub(crate) mod signals;
pub(crate) mod text;
pub(crate) mod threads;
pub(crate) mod tree_edit;

#[cfg(all(feature = "c-library", panic = "abort", not(test)))]
mod runtime;
