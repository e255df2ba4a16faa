//! The seam between handlers and the backend that `outside::exceptions` picks.
//!
//! - `ends_by_signal`: a signal that is the end of something of the backend's, which has been seen to.
//! - `has_been_declined`: a fault that the backend has judged already, and passed on.
//! - `was_declined`: the same of a fault at this program counter, which is still to be seen by `has_been_declined`.
//! - `runs_fault_handler`: the stack pointer is where the backend has the embedder's fault handler run.
//! - `maker`: who else makes traps of a thread's faults.

#[cfg(wasmtrap_mach)]
use super::mach::callback as picked;
#[cfg(not(wasmtrap_mach))]
use super::none as picked;

#[cfg_attr(windows, allow(unused_imports, reason = "signals ask"))]
pub(crate) use picked::was_declined;
pub(crate) use picked::{ends_by_signal, has_been_declined, maker, runs_fault_handler};
