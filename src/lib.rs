//! WebAssembly trap handling as a C-ABI shared library.
//!
//! A fault becomes a verdict, and a verdict a changed context:
//!
//! ```text
//! fault ──► backend adapter ──► Fault ──► decide() ──► Verdict ──► adapter applies it
//!           inside::signals               inside::decide           (registers of the faulting thread)
//! ```
//!
//! A folder tells where its code may run:
//!
//! - `inside`: in a signal handler, on any thread, at any instruction. No lock, allocation, panic, formatted output,
//!   lazy thread-local, and no system call but those that forwarding needs. `make check-handler-safety` proves it on
//!   the built library.
//! - `outside`: in ordinary context.
//! - `shared`: data that both look at.
//! - `arch`: assembly and what only assembly can reach.
//!
//! `capi` is the API; its comments, and those of `shared::abi`, are the header's.
// The library for C stands alone. Where the profile unwinds (cargo test), the standard library is there, and so it is
// in Rust programs: cargo links the shared library for every package that depends on this one, too.
#![cfg_attr(all(not(test), panic = "abort", feature = "c-library"), no_std)]
#![warn(missing_docs)]

extern crate alloc;

#[cfg(not(any(
    all(any(target_os = "linux", target_os = "macos"), any(target_arch = "x86_64", target_arch = "aarch64")),
    all(windows, any(target_arch = "x86_64", target_arch = "aarch64"))
)))]
compile_error!("libwasmtrap runs on Linux, macOS and Windows, on x86-64 and arm64");

mod arch;
pub mod capi;
mod inside;
mod outside;
mod shared;

pub use shared::abi;

/// Doors for the fuzzers; not part of the API.
#[cfg(feature = "fuzzing")]
pub mod fuzzing {
    pub use crate::inside::decide::*;
    pub use crate::shared::thread::{RunningStack, StackBounds};

    /// Exception messages on the wire.
    pub mod mach_message {
        pub use crate::inside::mach::message::*;
    }
}
